import type { FromWorker, Port, ToWorker } from '../protocol';
import { serve } from './serve';

/** A worker's own end of its connection. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
}

/** {@link serve} in the worker that calls it. */
export function serveScope(): void {
  const scope = globalThis as unknown as WorkerScope;
  const port: Port<FromWorker, ToWorker> = {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    onmessage: undefined,
  };
  scope.onmessage = ({ data }) => port.onmessage?.(data);
  serve(port);
}
