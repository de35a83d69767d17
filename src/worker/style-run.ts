import { type ComputationError, InvalidArgumentError } from '../errors';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import { ProgressChannel } from '../transfer/progress-channel';
import type { StyleInput } from '../transfer/styles';
import { untilAborted } from '../until-aborted';
import { crossing, release } from './crossing';
import { errorOf } from './error-record';
import { baseUrl } from './launch';
import type { FetchWeightsOptions, StyleRun, WorkerStyleTransferOptions } from './options';
import type { PreviewEvent, WorkerProgress, WorkerStepEvent } from './progress';
import type { EventMessage, FromWorker, TaskEvent, ToWorker } from './protocol';
import type { WorkerResult } from './result';

/** What a run needs of its worker. */
export interface RunHost {
  /** A number that no other run of the worker has. */
  readonly run: number;
  /** Waits until the worker has started, and is free for the run. */
  readonly turn: Promise<void>;
  post(message: ToWorker, transfer?: Transferable[]): void;
  /** Takes note of a run that hears the worker's messages; `undefined` once it has ended. */
  listen(task: WorkerTask | undefined): void;
}

/** A run, or a download, that hears of its worker. */
export interface WorkerTask {
  receive(message: FromWorker): void;
  /** The worker has ended. */
  lose(error: ComputationError): void;
}

/** The arguments of `styleTransfer` of a worker. */
export type RunArguments = readonly [
  content: ImageInput,
  style: StyleInput<ImageInput>,
  alphaOrOptions?: number | WorkerStyleTransferOptions | undefined,
  beta?: number | undefined,
  options?: WorkerStyleTransferOptions | undefined,
];

/** Starts a run on a worker. */
export function startRun(host: RunHost, args: RunArguments): StyleRun {
  const held = { paused: false, started: false };
  const promise = run(host, args, held);
  const hold = (paused: boolean): void => {
    if (held.paused === paused) return;
    held.paused = paused;
    if (held.started) host.post({ type: paused ? 'pause' : 'resume', run: host.run });
  };
  return Object.defineProperties(promise as StyleRun, {
    pause: { value: () => hold(true) },
    resume: { value: () => hold(false) },
    paused: { get: () => held.paused },
  });
}

async function run(
  host: RunHost,
  args: RunArguments,
  held: { paused: boolean; started: boolean },
): Promise<WorkerResult> {
  const { content, style, rest, options } = read(args);
  const { signal, onProgress, previewInterval, loss, extractor, ...data } = options;
  requireInterval(previewInterval);
  signal?.throwIfAborted();
  // Now, not when the run's turn comes: what a canvas or a video shows may be another picture by then.
  const crossed = await crossing(
    {
      content,
      style,
      ...addressed(data),
      ...(loss === undefined ? {} : { loss: moduleUrl('loss', loss) }),
      ...(extractor === undefined ? {} : { extractor: moduleUrl('extractor', extractor) }),
    },
    signal,
  );
  const { content: sentContent, style: sentStyle, ...sentOptions } = crossed.value;
  try {
    await untilAborted(signal, host.turn);
  } catch (error) {
    release(crossed.transfer);
    throw error;
  }
  const result = await answered<WorkerResult>(host, { signal, onProgress }, () => {
    host.post(
      {
        type: 'run',
        run: host.run,
        content: sentContent,
        style: sentStyle,
        rest: rest.map((argument) => (argument === options ? sentOptions : argument)),
        previewInterval,
        listens: onProgress !== undefined,
      },
      crossed.transfer,
    );
    held.started = true;
    if (held.paused) host.post({ type: 'pause', run: host.run });
  });
  held.started = false;
  return result;
}

/** Puts weights into the page's cache, through a worker. */
export async function fetchWeightsBy(host: RunHost, options: FetchWeightsOptions): Promise<void> {
  const { signal, onProgress, ...data } = options;
  signal?.throwIfAborted();
  const { value, transfer } = await crossing(addressed(data));
  await untilAborted(signal, host.turn);
  return answered(host, { signal, onProgress }, () =>
    host.post({ type: 'fetch', run: host.run, options: value }, transfer),
  );
}

/** Sends a task to the worker and waits for its result, while its events go to the listener. */
export async function answered<T, Event extends TaskEvent = WorkerProgress>(
  host: RunHost,
  {
    signal,
    onProgress,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((event: Event) => void | Promise<void>) | undefined;
  },
  send: () => void,
): Promise<T> {
  const { run } = host;
  // A worker sends the events of the task that it was asked for.
  const channel = new ProgressChannel<TaskEvent>(onProgress as (event: TaskEvent) => void, signal);
  const seen = new LastSeen();
  const abort = () => host.post({ type: 'abort', run });
  channel.signal.addEventListener('abort', abort);
  try {
    // An abort until now has reached no listener.
    channel.signal.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      const hear = async (message: EventMessage): Promise<void> => {
        const event = withReason(message.event, channel.signal);
        seen.note(event, message.pixels);
        if (event.type === 'interrupted') await channel.finish(event);
        else await channel.send(event).catch(() => {});
        host.post({ type: 'taken', run });
      };
      host.listen({
        receive(message) {
          if (message.type === 'event') void hear(message);
          else if (message.type === 'result') resolve(message.result as T);
          else if (message.type === 'error')
            reject(channel.signal.aborted ? channel.signal.reason : errorOf(message.error));
        },
        lose(error) {
          const event = seen.interrupted(error);
          void (event ? channel.finish(event) : Promise.resolve()).finally(() => reject(error));
        },
      });
      send();
    });
  } catch (error) {
    await channel.close();
    throw channel.reasonFor(error);
  } finally {
    host.listen(undefined);
    channel.signal.removeEventListener('abort', abort);
    await channel.close();
  }
}

/** The last of a run that the page has seen, in case that the worker is lost. */
class LastSeen {
  private step: WorkerStepEvent | undefined;
  private evaluationsBefore = 0;
  private preview: { readonly event: PreviewEvent; readonly pixels: Uint8ClampedArray } | undefined;

  note(event: TaskEvent, pixels: Uint8ClampedArray | undefined): void {
    if (event.type === 'step') {
      if (this.step && this.step.stage.index !== event.stage.index)
        this.evaluationsBefore += this.step.evaluations;
      this.step = event;
    }
    if (event.type === 'preview' && pixels) this.preview = { event, pixels };
  }

  /** The event of a run that has lost its worker; undefined if it had not begun. */
  interrupted(reason: unknown): WorkerProgress | undefined {
    const { step, preview } = this;
    if (!step) return undefined;
    const { width, height } = preview?.event.stage ?? step.stage;
    return {
      type: 'interrupted',
      reason,
      evaluations: this.evaluationsBefore + step.evaluations,
      loss: preview?.event.loss ?? step.loss,
      image: preview && { data: preview.pixels, width, height, channels: 4 },
    };
  }
}

/** The reason of an abort is the page's own value, which the worker does not have. */
const withReason = (event: TaskEvent, { aborted, reason }: AbortSignal): TaskEvent =>
  event.type !== 'interrupted'
    ? event
    : { ...event, reason: aborted ? reason : errorOf(event.reason as never) };

/** The arguments of a run, and among them its options. */
function read([content, style, ...rest]: RunArguments) {
  const options = rest.find((argument) => typeof argument === 'object' && argument !== null) ?? {};
  return { content, style, rest, options: options as WorkerStyleTransferOptions };
}

function requireInterval(value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  const accepted = 'a number of milliseconds, at least 0';
  throw new InvalidArgumentError(
    typeof value === 'number' ? 'OUT_OF_RANGE' : 'WRONG_TYPE',
    `previewInterval is ${showValue(value)}; accepted: ${accepted}.`,
    { option: 'previewInterval', value, accepted },
  );
}

/** Options with the address of weights in full: in a worker from a blob, nothing is relative to the page. */
function addressed<T extends { readonly weights?: unknown }>(options: T): T {
  const { weights } = options;
  if (typeof weights !== 'string' || !/[./]/.test(weights)) return options;
  try {
    return { ...options, weights: new URL(weights, baseUrl()).href };
  } catch {
    return options;
  }
}

/** The full address of a module. */
function moduleUrl(option: string, value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) {
    try {
      return new URL(value, baseUrl()).href;
    } catch {}
  }
  const accepted = `the URL of a module, whose default export makes the ${option}`;
  throw new InvalidArgumentError('WRONG_TYPE', `${option} is ${showValue(value)}; accepted: ${accepted}.`, {
    option,
    value,
    accepted,
  });
}
