import type * as tf from '@tensorflow/tfjs-core';
import { WeightsError } from '../errors';
import { RangePicker } from '../storage/range-picker';
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
 * The tensors of a tfjs IOHandler. If the handler can stream, its data is never held in memory as a whole.
 * @param handler one that {@link isIOHandler} knows, so that it has `load`
 */
export function openIOHandler(handler: tf.io.IOHandler): OpenTensorFile {
  return async (options) => {
    const artifacts = await untilAborted(options.signal, (handler as Required<tf.io.IOHandler>).load());
    const { tensors, totalBytes } = parseWeightSpecs(artifacts.weightSpecs, ioHandlerName);
    return {
      tensors: tensorsByName(tensors),
      async *read(wanted, meter, { signal }) {
        const picker = new RangePicker(wanted);
        let position = 0;
        for await (const chunk of chunksOf(artifacts, signal)) {
          picker.add(chunk, position);
          position += chunk.length;
          meter.report('weights', picker.loaded);
          if (picker.done) break;
        }
        if (!picker.done)
          throw new WeightsError(
            'TRUNCATED',
            `${ioHandlerName} gave ${position} bytes; its weight specifications describe ${totalBytes}.`,
            { option: 'weights', value: position, accepted: `${totalBytes} bytes` },
          );
        for (const [i, bytes] of picker.complete.entries()) yield [wanted[i], bytes];
      },
    };
  };
}

async function* chunksOf(
  artifacts: tf.io.ModelArtifacts,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { weightData = [] } = artifacts;
  const reader = artifacts.getWeightStream?.().getReader();
  if (!reader) return yield* [weightData].flat().map((data) => new Uint8Array(data));
  const read = () => untilAborted(signal, reader.read());
  try {
    // The handlers of tfjs stream Uint8Array, whatever the type says; the constructor takes both.
    for (let next = await read(); !next.done; next = await read()) yield new Uint8Array(next.value);
  } finally {
    // Not awaited: a stream that does not answer must not keep an abort waiting.
    reader.cancel().catch(() => undefined);
  }
}
