import { EnvironmentError } from '../errors';
import { showText, showUrl, showValue } from '../options/show';
import { afterRunningFor } from '../running-time';
import { errorOf } from './error-record';
import type { StyleWorkerOptions, WorkerBackend } from './options';
import type { FromWorker, Port, ToWorker } from './protocol';

/** A worker that has started. */
export interface StartedWorker extends Port<ToWorker, FromWorker> {
  /** Called once, if the worker ends or fails. @param why the reason, as a predicate of 'The worker' */
  onlost: ((why: string, cause?: unknown) => void) | undefined;
  terminate(): void;
}

/** Starts the worker of this package. @returns the worker, and a function to be called at its first sign of life */
export type StartOwnWorker = (backend: WorkerBackend) => Promise<readonly [Worker, answered: () => void]>;

/** Options of {@link launch}, complete. */
export type LaunchOptions = Required<Pick<StyleWorkerOptions, 'backend' | 'startLimit'>> & {
  readonly backend: WorkerBackend;
  readonly startLimit: number;
  readonly worker: StyleWorkerOptions['worker'];
  readonly wasmPaths: StyleWorkerOptions['wasmPaths'];
  readonly signal: AbortSignal;
};

/**
 * Starts a worker and waits until its backend computes.
 *
 * @param own what starts the worker of this package, where the option `worker` names none
 * @throws EnvironmentError `WORKER_UNAVAILABLE` if it cannot be started, fails, or does not answer in time; another
 *   code if its backend does not start
 * @throws the signal's reason
 */
export async function launch(options: LaunchOptions, own: StartOwnWorker): Promise<StartedWorker> {
  const { signal, startLimit } = options;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    let over = false;
    let made: LaunchedWorker | undefined;
    const policy = watchPolicy();
    const settle = (): boolean => {
      const first = !over;
      over = true;
      stopTimer();
      policy.stop();
      signal.removeEventListener('abort', onAbort);
      return first;
    };
    const fail = (error: unknown): void => {
      if (!settle()) return;
      made?.terminate();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    signal.addEventListener('abort', onAbort);
    const stopTimer = afterRunningFor(startLimit, () =>
      fail(unavailable(`did not answer within ${startLimit / 1000} seconds`)),
    );
    const begin = async (): Promise<void> => {
      const launched = await start(options, own);
      if (over) return launched.terminate();
      made = launched;
      launched.onlost = (why, cause) => fail(unavailable(`${why}${policy.reason()}`, cause));
      launched.onmessage = (message) => {
        if (message.type === 'unavailable') fail(errorOf(message.error));
        if (message.type === 'ready' && settle()) {
          launched.watch();
          resolve(launched);
        }
      };
      const { backend, wasmPaths } = options;
      launched.post({ type: 'start', backend, wasmPaths: absolute(wasmPaths), lock: launched.lock });
    };
    begin().catch((cause: unknown) => {
      const known = cause instanceof EnvironmentError;
      fail(known ? cause : unavailable(`cannot be started: ${reasonOf(cause)}${policy.reason()}`, cause));
    });
  });
}

/** The error for a worker that does not start. @param why the reason, as a predicate of 'The worker' */
function unavailable(why: string, cause?: unknown): EnvironmentError {
  const accepted =
    'a page that may start workers, from a blob or from the script that the option worker names';
  return new EnvironmentError('WORKER_UNAVAILABLE', `The worker ${why}; needed: ${accepted}.`, {
    option: 'worker',
    accepted,
    cause,
  });
}

interface LaunchedWorker extends StartedWorker {
  readonly lock: string | undefined;
  /** Hears from now on of a worker that ends without a word. */
  watch(): void;
}

async function start({ worker, backend }: LaunchOptions, own: StartOwnWorker): Promise<LaunchedWorker> {
  if (typeof Worker === 'undefined') throw unavailable('cannot be started: there are no Web Workers here');
  if (typeof worker === 'function') return listenedTo(requireWorker(worker()));
  if (worker === undefined) return listenedTo(...(await own(backend)));
  const url = new URL(worker, baseUrl());
  return listenedTo(new Worker(url, { name: workerName }), () => {}, ` ${showUrl(url)}`);
}

/** The name of our workers in the browser's tools. */
export const workerName = 'tfjs-style-transfer';

function requireWorker(worker: unknown): Worker {
  const { postMessage, terminate } = (worker ?? {}) as Partial<Worker>;
  if (typeof postMessage === 'function' && typeof terminate === 'function') return worker as Worker;
  throw unavailable(`cannot be started: the function of the option worker returned ${showValue(worker)}`);
}

/**
 * @param answered called at the first sign of life, or at the end
 * @param place of the script, for messages
 */
function listenedTo(worker: Worker, answered = () => {}, place = ''): LaunchedWorker {
  const { locks } = navigator as Partial<Pick<Navigator, 'locks'>>;
  const lock = locks && `${workerName} ${Math.random().toString(36).slice(2)}`;
  const unwatch = new AbortController();
  let ended = false;
  const lost = (why: string, cause?: unknown): void => {
    if (ended) return;
    ended = true;
    answered();
    unwatch.abort();
    worker.terminate();
    launched.onlost?.(why, cause);
  };
  const launched: LaunchedWorker = {
    lock,
    onmessage: undefined,
    onlost: undefined,
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    terminate() {
      ended = true;
      answered();
      unwatch.abort();
      worker.terminate();
    },
    watch() {
      if (lock === undefined) return;
      // Free only once the worker is gone, whatever it died of.
      locks?.request(lock, { signal: unwatch.signal }, () => lost('ended')).catch(() => {});
    },
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    answered();
    if (!ended) launched.onmessage?.(data);
  };
  worker.onmessageerror = () => lost('sent what cannot be read');
  worker.onerror = (event) => {
    event.preventDefault?.();
    const reason = event.message ? `: ${showText(event.message, 200)}` : `: its script${place} does not load`;
    lost(`failed${reason}`, event.error ?? undefined);
  };
  return launched;
}

/** Notes what the page's content security policy blocks meanwhile. */
function watchPolicy(): { reason(): string; stop(): void } {
  if (typeof document === 'undefined') return { reason: () => '', stop: () => {} };
  let blocked: string | undefined;
  const listener = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent): void => {
    blocked ??= `${showText(effectiveDirective)} of the page's content security policy blocks ${showText(blockedURI)}`;
  };
  document.addEventListener('securitypolicyviolation', listener);
  return {
    reason: () => (blocked === undefined ? '' : ` (${blocked})`),
    stop: () => document.removeEventListener('securitypolicyviolation', listener),
  };
}

/** What addresses are relative to; a worker from a blob has no base of its own. */
export const baseUrl = (): string | undefined =>
  typeof document === 'undefined' ? (globalThis.location?.href as string | undefined) : document.baseURI;

/** Addresses in full, which a worker from a blob needs. */
function absolute(paths: LaunchOptions['wasmPaths']): LaunchOptions['wasmPaths'] {
  if (paths === undefined) return undefined;
  if (typeof paths === 'string' || paths instanceof URL) return new URL(paths, baseUrl()).href;
  return Object.fromEntries(
    Object.entries(paths).map(([file, path]) => [file, new URL(path, baseUrl()).href]),
  );
}

const reasonOf = (error: unknown): string =>
  showText(error instanceof Error ? error.message : String(error), 200);
