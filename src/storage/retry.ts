import type { ErrorCode } from '../error-codes';
import { WeightsError } from '../errors';

/** A failure that may pass: worth another attempt. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
  /** Of the `WeightsError` that it becomes if it does not pass. */
  readonly code: ErrorCode;
  /** Pause before the next attempt, where the server said one. */
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
  /** How often in a row an attempt may fail without getting further, before it is given up. */
  readonly retries: number;
  /** Pause before the first repetition; it doubles from one to the next, up to 8 seconds. */
  readonly retryDelayMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far; an attempt that brought a notable number more does not count as a failure in a row. */
  readonly progress: () => number;
}

/** An attempt that brought as much was no vain one. */
const notableProgress = 2 ** 14;

/** Servers that ask for a longer pause are given up. */
const longestPauseMs = 120_000;
const longestBackOffMs = 8_000;

/** Repeats `attempt` while it fails in passing, with exponential back-off or the pause that the server asked for. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, retryDelayMs, signal, progress } = options;
  let failures = 0;
  let reached = progress();
  for (;;) {
    try {
      signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!(error instanceof PassingFailure)) throw error;
      const further = progress() >= reached + notableProgress;
      if (further) reached = progress();
      failures = further ? 1 : failures + 1;
      const givenUp =
        failures > retries
          ? `; given up after ${failures} attempt${failures > 1 ? 's' : ''}`
          : (error.delayMs ?? 0) > longestPauseMs
            ? `; it asks to wait ${Math.round((error.delayMs ?? 0) / 1000)} s`
            : undefined;
      if (givenUp) throw new WeightsError(error.code, `${error.message}${givenUp}.`, { cause: error });
      // Jitter, so that many clients that failed together do not come back together.
      const backOff =
        Math.min(longestBackOffMs, retryDelayMs * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
      await pause(error.delayMs ?? backOff, signal);
    }
  }
}

/** Milliseconds that a Retry-After header asks for: seconds or a date. */
export function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
