import '@tensorflow/tfjs-backend-cpu';
import { MessageChannel, type MessagePort, type Transferable as NodeTransferable } from 'node:worker_threads';
import { errorOf } from '../../src/worker/error-record';
import type { LaunchOptions, StartedWorker } from '../../src/worker/launch';
import type { StyleWorkerOptions } from '../../src/worker/options';
import { registerBackend, startRegistered } from '../../src/worker/program/backends';
import { serve } from '../../src/worker/program/serve';
import type { FromWorker, Port, ToWorker } from '../../src/worker/protocol';
import { type StyleWorker, styleWorkerOn } from '../../src/worker/style-worker';

/** A style worker whose program runs in this process, at the other end of a message channel. */
export interface WorkerInProcess {
  readonly worker: StyleWorker;
  /** What has crossed to the program. */
  readonly sent: readonly ToWorker[];
  /** What has crossed to the page's side. */
  readonly received: readonly FromWorker[];
  /** Ends the worker as a crash would. */
  lose(why: string): void;
}

export function workerInProcess(options: StyleWorkerOptions = {}): WorkerInProcess {
  const sent: ToWorker[] = [];
  const received: FromWorker[] = [];
  let started: StartedWorker | undefined;
  const start = async ({ backend }: LaunchOptions): Promise<StartedWorker> => {
    const { port1, port2 } = new MessageChannel();
    registerBackend('cpu', () => startRegistered('cpu'));
    serve(portOf<FromWorker, ToWorker>(port2, received), {
      // Node has no bitmaps; a record crosses as one would.
      toBitmap: async (_pixels, width, height) => ({ width, height }) as ImageBitmap,
    });
    const port = portOf<ToWorker, FromWorker>(port1, sent);
    started = Object.assign(port, { onlost: undefined, terminate: () => port1.close() });
    await new Promise<void>((resolve, reject) => {
      port.onmessage = (message) =>
        message.type === 'unavailable' ? reject(errorOf(message.error)) : resolve();
      port.post({ type: 'start', backend, wasmPaths: undefined, lock: undefined });
    });
    return started;
  };
  const worker = styleWorkerOn(start, { backend: 'cpu', ...options });
  return { worker, sent, received, lose: (why) => started?.onlost?.(why) };
}

/** @param log takes the messages that are sent */
function portOf<Out, In>(port: MessagePort, log: Out[]): Port<Out, In> {
  const made: Port<Out, In> = {
    post(message, transfer = []) {
      log.push(message);
      port.postMessage(message, transfer as unknown as NodeTransferable[]);
    },
    onmessage: undefined,
  };
  port.on('message', (message: In) => made.onmessage?.(message));
  port.unref();
  return made;
}
