import { recordOf } from '../error-record';
import type { FromWorker, Port, RunMessage, StartMessage, StylizeMessage, ToWorker } from '../protocol';
import { startBackend } from './backends';
import { fetchWeights } from './fetch-weights';
import { InstantPainter } from './instant-painter';
import { Painter } from './painter';
import { TaskControl } from './task-control';
import { type ToBitmap, toBitmap } from './to-bitmap';

/** Parts of the platform that {@link serve} uses. */
export interface ServeOptions {
  /** @default the platform's `createImageBitmap` */
  readonly toBitmap?: ToBitmap | undefined;
}

/** Does the work that messages ask for, and answers each: the worker's end of the protocol. */
export function serve(port: Port<FromWorker, ToWorker>, options: ServeOptions = {}): void {
  const painter = new Painter(options.toBitmap ?? toBitmap);
  const instant = new InstantPainter(options.toBitmap ?? toBitmap);
  const tasks = new Map<number, TaskControl>();

  const begin = async ({ backend, wasmPaths, lock }: StartMessage): Promise<void> => {
    try {
      await startBackend(backend, wasmPaths);
      if (lock !== undefined) await hold(lock);
      port.post({ type: 'ready' });
    } catch (error) {
      port.post({ type: 'unavailable', error: recordOf(error) });
    }
  };

  const work = async (run: number, listens: boolean, of: (control: TaskControl) => Promise<void>) => {
    const control = new TaskControl(run, port, listens);
    tasks.set(run, control);
    try {
      await of(control);
    } catch (error) {
      port.post({ type: 'error', run, error: recordOf(error) });
    } finally {
      tasks.delete(run);
    }
  };

  const paint = (message: RunMessage) =>
    work(message.run, message.listens, async (control) => {
      const { result, transfer } = await painter.paint(message, control);
      port.post({ type: 'result', run: message.run, result }, transfer);
    });

  const stylize = (message: StylizeMessage) =>
    work(message.run, message.listens, async (control) => {
      const { result, transfer } = await instant.paint(message, control);
      port.post({ type: 'result', run: message.run, result }, transfer);
    });

  port.onmessage = (message) => {
    if (message.type === 'start') void begin(message);
    else if (message.type === 'run') void paint(message);
    else if (message.type === 'stylize') void stylize(message);
    else if (message.type === 'fetch')
      void work(message.run, true, async (control) => {
        await fetchWeights(message.options, control);
        port.post({ type: 'result', run: message.run, result: undefined });
      });
    else tasks.get(message.run)?.receive(message.type);
  };
}

/** Holds a lock until this worker ends, by which its page notices the end. */
async function hold(name: string): Promise<void> {
  const { locks } = navigator as Partial<Pick<Navigator, 'locks'>>;
  await new Promise<void>((resolve) => {
    if (!locks) return resolve();
    locks
      .request(name, () => {
        resolve();
        return new Promise<never>(() => {});
      })
      .catch(() => resolve());
  });
}
