import * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../engines/engine';
import type { Features } from '../features/extractor';

/**
 * An extractor for a function of the caller's that makes a loss: what it extracts is freed by `reclaim()` once the loss is made,
 * because losses keep what they need. It cannot be disposed.
 */
export function lendExtractor(extractor: EngineExtractor): { lent: EngineExtractor; reclaim(): void } {
  const extracted: Features[] = [];
  const { name, engine, threads, weights, embedded, layers } = extractor;
  const lent: EngineExtractor = {
    name,
    engine,
    threads,
    weights,
    embedded,
    layers,
    extract(image, wanted) {
      const features = extractor.extract(image, wanted);
      extracted.push(features);
      return features;
    },
    extractEach: extractor.extractEach?.bind(extractor),
    gramMatrices: extractor.gramMatrices?.bind(extractor),
    requireRoom: extractor.requireRoom?.bind(extractor),
    linearize: (image, wanted) => extractor.linearize(image, wanted),
    dispose: () => {},
  };
  return { lent, reclaim: () => tf.dispose(extracted as tf.TensorContainer[]) };
}
