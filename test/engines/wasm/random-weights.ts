import {
  type ConvLayer,
  convolutionsUpTo,
  type Vgg19Layer,
  vgg19Convolutions,
} from '../../../src/features/vgg19/layers';
import type { LayerWeights } from '../../../src/features/vgg19/source';

const made = new Map<Vgg19Layer, ReadonlyMap<ConvLayer, LayerWeights>>();

/**
 * Weights of VGG-19's shapes that keep activations near 1: noise of a linear congruential generator, the same on every
 * machine. They are made once: nobody may write into them.
 */
export function randomWeights(lastLayer: Vgg19Layer): ReadonlyMap<ConvLayer, LayerWeights> {
  const known = made.get(lastLayer);
  if (known) return known;
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const weights = new Map<ConvLayer, LayerWeights>();
  for (const step of vgg19Convolutions.slice(0, convolutionsUpTo(lastLayer).length)) {
    const scale = Math.sqrt(6 / (9 * step.channelsIn));
    const kernel = Float32Array.from(
      { length: 9 * step.channelsIn * step.channelsOut },
      () => scale * uniform(),
    );
    weights.set(step.name, {
      kernel,
      bias: Float32Array.from({ length: step.channelsOut }, () => 0.1 * uniform()),
    });
  }
  made.set(lastLayer, weights);
  return weights;
}
