import type { ErrorCode } from './error-codes';

/** Details of a {@link StyleTransferError} for programs; its message is for people. */
export interface ErrorDetails {
  /** The option, argument or file that is wrong, as the caller wrote it: `'alpha'`, `'layers[2]'`. */
  readonly option?: string | undefined;
  /** The rejected value. */
  readonly value?: unknown;
  /** The accepted values: a list of names, or a phrase. */
  readonly accepted?: readonly string[] | string | undefined;
  /** The error that caused this one, if any. */
  readonly cause?: unknown;
}

/**
 * Every error that this library raises on purpose.
 * `code` is stable under semver; the message is for people and may change.
 */
export class StyleTransferError extends Error {
  override readonly name: string = 'StyleTransferError';
  readonly code: ErrorCode;
  readonly option: string | undefined;
  readonly value: unknown;
  readonly accepted: readonly string[] | string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.option = details.option;
    this.value = details.value;
    this.accepted = details.accepted;
  }
}

/** A wrong argument: unknown name, value out of range, wrong type or shape. Raised before any work starts. */
export class InvalidArgumentError extends StyleTransferError {
  override readonly name = 'InvalidArgumentError';
}

/** An image or a style file that cannot be read, written or used: not an image, empty, too large, not finite. */
export class ImageError extends StyleTransferError {
  override readonly name = 'ImageError';
}

/** Weights that cannot be obtained or cannot be used: missing layer, wrong size, wrong hash, failed download. */
export class WeightsError extends StyleTransferError {
  override readonly name = 'WeightsError';
}

/** A requirement of the chosen computation is missing or too small: a backend, an optional package, memory, threads. */
export class EnvironmentError extends StyleTransferError {
  override readonly name = 'EnvironmentError';
}

/**
 * The computation itself went wrong: no finite loss at the start, a tensor lost to exhausted memory, a crashed worker.
 */
export class ComputationError extends StyleTransferError {
  override readonly name = 'ComputationError';
}
