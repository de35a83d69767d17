import type { ErrorCode } from '../error-codes';
import { WeightsError } from '../errors';
import { untilAborted } from '../until-aborted';

/** A temporary failure: another attempt may succeed. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
  /** Code of the `WeightsError` that is thrown if all attempts fail. */
  readonly code: ErrorCode;
  /** Pause before the next attempt in milliseconds, if the server requested one. */
  readonly delayMs: number | undefined;

  constructor(
    message: string,
    details: { code?: ErrorCode; delayMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = details.code ?? 'DOWNLOAD_FAILED';
    this.delayMs = details.delayMs;
  }
}

/** Options of {@link retrying}. */
export interface RetryOptions {
  /** Number of failures that are followed by another attempt. */
  readonly retries: number;
  /** Pause before the first repetition in milliseconds; it doubles from one to the next, up to 8 seconds. */
  readonly retryDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** If a server requests a longer pause, the work is given up at once. */
const longestPauseMs = 120_000;
const longestBackOffMs = 8_000;

/**
 * Repeats `attempt` while it throws a {@link PassingFailure}, with exponential back-off or the pause that the server
 * asked for.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, retryDelayMs, signal } = options;
  for (let failures = 1; ; failures++) {
    try {
      signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!(error instanceof PassingFailure)) throw error;
      const { delayMs = 0 } = error;
      let givenUp = failures > retries ? `given up after ${failures} attempt${failures > 1 ? 's' : ''}` : '';
      if (!givenUp && delayMs > longestPauseMs) givenUp = `it asks to wait ${Math.round(delayMs / 1000)} s`;
      if (givenUp)
        throw new WeightsError(error.code, `${error.message}; ${givenUp}.`, {
          option: 'weights',
          cause: error,
        });
      // Random, so that many clients that failed together do not retry together.
      const backOff =
        Math.min(longestBackOffMs, retryDelayMs * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
      await pause(error.delayMs ?? backOff, signal);
    }
  }
}

/** Milliseconds of a Retry-After header, which holds seconds or a date. */
export function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await untilAborted(signal, over);
  } finally {
    clearTimeout(timer);
  }
}
