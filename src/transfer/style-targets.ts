import * as tf from '@tensorflow/tfjs-core';
import { type EngineExtractor, type GramMatrices, verifiedBy } from '../engines/engine';
import type { LayerName } from '../features/layer-name';
import { owning } from '../owning';
import type { Bytes } from '../storage/byte-store';
import { sha256 } from '../storage/sha256';
import { gramsOf } from './style-grams';

/** Gram matrices of a style as numbers, by layer: each [channels][channels]. */
export type TargetNumbers = Readonly<Partial<Record<LayerName, Float32Array>>>;

/** Values by keys, each computed once among all who share them. */
export interface Shared<Value> {
  /**
   * The value of a key.
   *
   * @param compute called if nobody has computed it; if it fails, the next one who asks computes
   */
  get(key: string, compute: () => Promise<Value>): Promise<Value>;
}

/** Targets of styles, each computed once among all who share them. */
export type StyleTargets = Shared<TargetNumbers>;

/** Styles whose targets are held at once: each takes 0.4 MB (the paper's layers) to 2.5 MB (those of Gatys et al.). */
const mostStyles = 64;

/** Targets in the memory of this thread; those that were not asked for longest make room. */
export const targetsInMemory = (most?: number): StyleTargets => sharedInMemory(most);

/** Values in the memory of this thread, of which the last ones that were asked for are held. */
export function sharedInMemory<Value>(most: number = mostStyles): Shared<Value> {
  const held = new Map<string, Promise<Value>>();
  return {
    async get(key, compute) {
      const found = held.get(key) ?? compute();
      held.delete(key);
      held.set(key, found);
      for (const oldest of [...held.keys()].slice(0, Math.max(0, held.size - most))) held.delete(oldest);
      try {
        return await found;
      } catch (error) {
        if (held.get(key) === found) held.delete(key);
        throw error;
      }
    },
  };
}

/**
 * Members of an extractor that make it take style targets from those that are shared. A style is known by its pixels at
 * the size that targets are computed at; the targets of a region, which depend on its mask, are not shared.
 *
 * @param network what else the targets depend on: weights, padding, engine
 */
export function sharingTargets(
  extractor: EngineExtractor,
  network: string,
  targets: StyleTargets,
): Pick<EngineExtractor, 'gramMatricesInTurns'> {
  return {
    async gramMatricesInTurns(image, layers, { normalization = 'elements', mask, room, signal } = {}) {
      const compute = async () =>
        (await extractor.gramMatricesInTurns?.(image, layers, { normalization, mask, room, signal })) ??
        gramsOf(extractor, { layers, normalization }, image, { room, mask });
      if (mask) return compute();
      const pixels = await sha256(new Uint8Array((await image.data()).buffer) as Bytes);
      const key = JSON.stringify([network, pixels, image.shape, layers, normalization]);
      const numbers = await targets.get(key, () =>
        verifiedBy(extractor, () => owning(async ({ temporary }) => numbersOf(temporary(await compute())))),
      );
      return owning(({ result }) => {
        const grams: Partial<Record<LayerName, tf.Tensor2D>> = {};
        for (const [layer, values] of Object.entries(numbers) as [LayerName, Float32Array][]) {
          const n = Math.sqrt(values.length);
          grams[layer] = result(tf.tensor2d(values, [n, n]));
        }
        return grams;
      });
    },
  };
}

async function numbersOf(grams: GramMatrices): Promise<TargetNumbers> {
  const numbers: Partial<Record<LayerName, Float32Array>> = {};
  for (const [layer, gram] of Object.entries(grams) as [LayerName, tf.Tensor2D][])
    numbers[layer] = await gram.data<'float32'>();
  return numbers;
}
