import type { WasmPaths } from '../backends/wasm-binary';
import type { ErrorRecord } from './error-record';
import type { WorkerBackend } from './options';
import type { WorkerProgress } from './progress';
import type { WorkerResult } from './result';
import type { WorkerStylizeProgress, WorkerStylizeResult } from './stylize-options';

/** What a page sends to its worker. `run` numbers the runs of a worker. */
export type ToWorker =
  | StartMessage
  | RunMessage
  | StylizeMessage
  | FetchMessage
  | { readonly type: 'abort' | 'pause' | 'resume' | 'taken'; readonly run: number };

/** The first message. */
export interface StartMessage {
  readonly type: 'start';
  readonly backend: WorkerBackend;
  readonly wasmPaths: WasmPaths | undefined;
  /** Name of the lock that the worker holds as long as it lives, where there are locks. */
  readonly lock: string | undefined;
}

/** Arguments of a run whose images have crossed. */
export interface RunMessage {
  readonly type: 'run';
  readonly run: number;
  readonly content: unknown;
  readonly style: unknown;
  /** The other arguments, in which `loss` and `extractor` are URLs. */
  readonly rest: readonly unknown[];
  readonly previewInterval: number | undefined;
  /** Whether anyone listens to events. */
  readonly listens: boolean;
}

/** Arguments of `stylize` that have crossed. */
export interface StylizeMessage {
  readonly type: 'stylize';
  readonly run: number;
  readonly image: unknown;
  /** A generator, or the URL or the bytes of a file. */
  readonly generator: unknown;
  /** Generators with equal keys are one; undefined of one that is not known again. */
  readonly key: string | undefined;
  readonly options: object;
  /** Whether anyone listens to events. */
  readonly listens: boolean;
}

/** Asks for weights to be put into the cache. */
export interface FetchMessage {
  readonly type: 'fetch';
  readonly run: number;
  readonly options: { readonly preset?: unknown; readonly weights?: unknown };
}

/** What a worker sends to its page. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'unavailable'; readonly error: ErrorRecord }
  | EventMessage
  | {
      readonly type: 'result';
      readonly run: number;
      readonly result: WorkerResult | WorkerStylizeResult | undefined;
    }
  | { readonly type: 'error'; readonly run: number; readonly error: ErrorRecord };

/** An event of any task. */
export type TaskEvent = WorkerProgress | WorkerStylizeProgress;

/** An event, to be answered by `taken` once the listener has handled it. */
export interface EventMessage {
  readonly type: 'event';
  readonly run: number;
  readonly event: TaskEvent;
  /** Of a preview: its pixels, RGBA, which the page keeps in case the worker is lost. */
  readonly pixels?: Uint8ClampedArray<ArrayBuffer> | undefined;
}

/** One end of the connection of a page and a worker. */
export interface Port<Out, In> {
  post(message: Out, transfer?: Transferable[]): void;
  /** Called for every message from the other end. */
  onmessage: ((message: In) => void) | undefined;
}
