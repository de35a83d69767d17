import type * as tf from '@tensorflow/tfjs-core';
import { WeightsError } from '../errors';
import type { OpenModel } from '../features/vgg19/layers-model-weights';
import type { ByteRange, ByteStore, Bytes } from '../storage/byte-store';
import { parseWeightSpecs } from './model-json';

/** A tfjs IOHandler as a model and a store that holds one file. Where the handler can stream, nothing is held as a whole. */
export function openIOHandler(handler: tf.io.IOHandler): OpenModel {
  return async () => {
    if (!handler.load)
      throw new WeightsError('MALFORMED_WEIGHTS', 'This tf.io.IOHandler cannot load.', {
        option: 'weights',
        accepted: 'a tf.io.IOHandler with load()',
      });
    const artifacts = await handler.load();
    const group = parseWeightSpecs(artifacts.weightSpecs, ioHandlerName);
    const data = artifacts.weightData;
    const stream = artifacts.getWeightStream;
    const chunks = (): Iterable<ArrayBuffer> | AsyncIterable<ArrayBuffer> => {
      if (stream) return iterate(stream());
      return data === undefined ? [] : Array.isArray(data) ? data : [data];
    };
    return {
      store: new SequentialStore(ioHandlerName, group.totalBytes, chunks),
      model: { groups: [{ paths: ['weights'], ...group }], convention: undefined },
    };
  };
}

/** What errors and reports call an IOHandler, which has no name of its own. */
export const ioHandlerName = 'a tf.io.IOHandler';

/** Whether a value is an IOHandler: it has `load` and is no source of ours. */
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

  async read(file: string): Promise<Bytes> {
    for await (const bytes of this.readRanges(file, [{ offset: 0, length: this.bytes }])) return bytes;
    return new Uint8Array(0);
  }

  async *readRanges(_file: string, ranges: readonly ByteRange[]): AsyncGenerator<Bytes> {
    let next = 0;
    let target: Bytes | undefined;
    let filled = 0;
    let position = 0;
    for await (const chunk of this.chunks()) {
      let at = 0;
      while (next < ranges.length && at < chunk.byteLength) {
        const { offset, length } = ranges[next];
        target ??= new Uint8Array(length);
        const from = offset + filled - position;
        if (from >= chunk.byteLength) break;
        const part = new Uint8Array(chunk, from, Math.min(length - filled, chunk.byteLength - from));
        target.set(part, filled);
        filled += part.length;
        at = from + part.length;
        if (filled < length) break;
        yield target;
        target = undefined;
        filled = 0;
        next++;
      }
      if (next === ranges.length) return;
      position += chunk.byteLength;
    }
    throw new WeightsError(
      'TRUNCATED',
      `${this.name} gave ${position} bytes; its weight specifications describe ${this.bytes}.`,
      { option: 'weights', value: position, accepted: `${this.bytes} bytes` },
    );
  }
}

async function* iterate(stream: ReadableStream<ArrayBuffer>): AsyncGenerator<ArrayBuffer> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      // tfjs' own handlers hand on what fetch gives, which are views, whatever the type says.
      const chunk: unknown = next.value;
      yield chunk instanceof Uint8Array ? (chunk as Bytes).slice().buffer : (chunk as ArrayBuffer);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
