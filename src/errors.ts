import type { ErrorCode } from './error-codes';

/** What a {@link StyleTransferError} tells a program, beside the message that tells a person. */
export interface ErrorDetails {
  /** The option, argument or file that is wrong, as the caller wrote it: `'alpha'`, `'layers[2]'`. */
  readonly option?: string | undefined;
  /** The value that was found. */
  readonly value?: unknown;
  /** What would have been accepted: a list of names, or a phrase. */
  readonly accepted?: readonly string[] | string | undefined;
  /** The error underneath, if there is one. */
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

/** An image that cannot be read, written or used: no image, empty, too large, not finite. */
export class ImageError extends StyleTransferError {
  override readonly name = 'ImageError';
}

/** Weights that cannot be had or cannot be used: missing layer, wrong size, wrong hash, failed download. */
export class WeightsError extends StyleTransferError {
  override readonly name = 'WeightsError';
}

/** Something the chosen computation needs is missing or too small: a backend, an optional package, memory, threads. */
export class EnvironmentError extends StyleTransferError {
  override readonly name = 'EnvironmentError';
}

/**
 * The computation itself went wrong: no finite loss at the start, a tensor lost to exhausted memory, a crashed worker.
 */
export class ComputationError extends StyleTransferError {
  override readonly name = 'ComputationError';
}
