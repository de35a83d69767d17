import type * as tf from '@tensorflow/tfjs-core';
import { WeightsError } from '../errors';
import type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from '../storage/byte-store';
import { unlessAborted } from '../storage/in-turn';
import { RangePicker } from '../storage/range-picker';
import { layersModel } from './layers-model';
import { parseWeightSpecs } from './model-json';
import type { OpenTensorFile } from './tensor-file';

/** Tensors that a tfjs IOHandler loads. A handler that can stream is not held in memory as a whole. */
export function openIOHandler(handler: tf.io.IOHandler): OpenTensorFile {
  return async ({ signal }) => {
    if (!handler.load)
      throw new WeightsError('MALFORMED_WEIGHTS', 'This tf.io.IOHandler cannot load.', {
        option: 'weights',
        accepted: 'a tf.io.IOHandler with load()',
      });
    const artifacts = await unlessAborted(handler.load(), signal);
    const group = parseWeightSpecs(artifacts.weightSpecs, ioHandlerName);
    const { weightData: data, getWeightStream: stream } = artifacts;
    const chunks = (): Iterable<ArrayBuffer> | AsyncIterable<ArrayBuffer> => {
      if (stream) return iterate(stream(), signal);
      return data === undefined ? [] : Array.isArray(data) ? data : [data];
    };
    const store = new SequentialStore(ioHandlerName, group.totalBytes, chunks);
    return layersModel(store, { groups: [{ paths: ['weights'], ...group }] });
  };
}

/** Name of an IOHandler, which has none of its own, in errors and reports. */
export const ioHandlerName = 'a tf.io.IOHandler';

/** Whether a value is an IOHandler: an object with `load`. */
export function isIOHandler(value: unknown): value is tf.io.IOHandler {
  return typeof value === 'object' && value !== null && typeof (value as tf.io.IOHandler).load === 'function';
}

/** One file that can only be read from its start on. */
class SequentialStore implements ByteStore {
  constructor(
    readonly name: string,
    private readonly bytes: number,
    private readonly chunks: () => Iterable<ArrayBuffer> | AsyncIterable<ArrayBuffer>,
  ) {}

  prefersWhole(): boolean {
    return false;
  }

  async size(): Promise<number> {
    return this.bytes;
  }

  async read(file: string, _limit: number, options?: ReadBytesOptions): Promise<Bytes> {
    for await (const bytes of this.readRanges(file, [{ offset: 0, length: this.bytes }], options))
      return bytes;
    return new Uint8Array(0);
  }

  async *readRanges(
    _file: string,
    ranges: readonly ByteRange[],
    { signal, onBytes }: ReadBytesOptions = {},
  ): AsyncGenerator<Bytes> {
    const picker = new RangePicker(ranges);
    let position = 0;
    for await (const chunk of this.chunks()) {
      signal?.throwIfAborted();
      picker.add(new Uint8Array(chunk), position);
      position += chunk.byteLength;
      onBytes?.(picker.loaded);
      if (picker.done) return yield* picker.complete;
    }
    throw new WeightsError(
      'TRUNCATED',
      `${this.name} gave ${position} bytes; its weight specifications describe ${this.bytes}.`,
      { option: 'weights', value: position, accepted: `${this.bytes} bytes` },
    );
  }
}

async function* iterate(
  stream: ReadableStream<ArrayBuffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ArrayBuffer> {
  const reader = stream.getReader();
  const read = () => unlessAborted(reader.read(), signal);
  try {
    for (let next = await read(); !next.done; next = await read()) {
      // tfjs' own handlers pass on what fetch gives, which are views, whatever the type says.
      const chunk: unknown = next.value;
      yield chunk instanceof Uint8Array ? (chunk as Bytes).slice().buffer : (chunk as ArrayBuffer);
    }
  } finally {
    // Not awaited: a stream that does not answer must not keep an abort waiting.
    reader.cancel().catch(() => undefined);
  }
}
