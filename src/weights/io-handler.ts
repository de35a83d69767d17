import type * as tf from '@tensorflow/tfjs-core';
import { WeightsError } from '../errors';
import { type Bytes, endOf, totalLength } from '../storage/byte-store';
import { untilAborted } from '../until-aborted';
import { parseWeightSpecs } from './model-json';
import { type OpenTensorFile, tensorsByName } from './tensor-file';

/** Whether a value is an IOHandler: an object with `load`. */
export function isIOHandler(value: unknown): value is tf.io.IOHandler {
  return typeof value === 'object' && value !== null && typeof (value as tf.io.IOHandler).load === 'function';
}

/** Name of an IOHandler, which has none of its own, in errors and reports. */
export const ioHandlerName = 'a tf.io.IOHandler';

/**
 * The tensors of a tfjs IOHandler.
 * @param handler one that {@link isIOHandler} knows, so that it has `load`
 */
export function openIOHandler(handler: tf.io.IOHandler): OpenTensorFile {
  return async (options) => {
    const artifacts = await untilAborted(options.signal, (handler as Required<tf.io.IOHandler>).load());
    const { tensors, totalBytes } = parseWeightSpecs(artifacts.weightSpecs, ioHandlerName);
    return {
      tensors: tensorsByName(tensors),
      async read(wanted, meter, { signal }) {
        const bytes = await untilAborted(signal, weightsOf(artifacts, totalBytes, signal));
        if (bytes.length < endOf(wanted))
          throw new WeightsError(
            'TRUNCATED',
            `${ioHandlerName} gave ${bytes.length} bytes; its weight specifications describe ${totalBytes}.`,
            { option: 'weights', value: bytes.length, accepted: `${totalBytes} bytes` },
          );
        meter('weights', totalLength(wanted));
        return new Map(wanted.map((tensor) => [tensor, bytes.slice(tensor.offset, endOf([tensor]))]));
      },
    };
  };
}

/** All of a handler's data. Throws a `WeightsError` for a stream of more than `limit` bytes. */
async function weightsOf(
  artifacts: tf.io.ModelArtifacts,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const chunks: BlobPart[] = [artifacts.weightData ?? []].flat();
  let received = 0;
  const collecting = new WritableStream<ArrayBuffer>({
    write(chunk) {
      received += chunk.byteLength;
      chunks.push(chunk);
      if (received <= limit) return;
      const accepted = `${limit} bytes`;
      const message = `${ioHandlerName} gave more than ${accepted}, which its weight specifications describe.`;
      throw new WeightsError('TOO_LARGE', message, { option: 'weights', accepted });
    },
  });
  await artifacts.getWeightStream?.().pipeTo(collecting, { signal });
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
