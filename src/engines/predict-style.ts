import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations, requireMemory } from '../allocation';
import { InvalidArgumentError } from '../errors';
import type { Generator } from '../features/generator';
import { padsOf } from '../features/generator-steps';
import { type NamedTensors, tensorValues } from '../features/network';
import { predictorTensors, resolvePredictor } from '../features/predictor-steps';
import type { PredictorStep, StylePredictor } from '../features/style-predictor';
import type { Image } from '../image/image';
import { inTurns, type Work } from '../image/in-turns';
import { imageFrom } from '../image/to-image';
import { showText } from '../options/show';
import { owning } from '../owning';
import { convolve } from './tfjs/generator/convolutions';
import { KeptTensors } from './tfjs/generator/kept-tensors';
import { padMap } from './tfjs/generator/pads';

/**
 * The vector by which a generator of any style (Ghiasi et al. 2017) paints as a style image, by tfjs operations on the
 * active backend.
 *
 * @param generator one with a predictor
 * @param style the image, of any size; it is resized to the square that the predictor was trained with
 * @returns numbers of the generator's `vectorLength`; those of two images may be blended
 * @throws InvalidArgumentError `WRONG_TYPE` if the generator has no predictor; the signal's reason
 */
export async function predictStyle(
  { name, predictor, weights }: Generator,
  style: Image,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Float32Array> {
  if (!predictor) {
    const accepted = 'a generator with a predictor';
    throw new InvalidArgumentError(
      'WRONG_TYPE',
      `The generator ${showText(name)} knows no styles of images; accepted: ${accepted}.`,
      { option: 'generator', accepted },
    );
  }
  checkAllocations();
  const { size, input } = predictor;
  return owning(async ({ temporary }) => {
    const image = temporary(await imageFrom('style', style, { width: size, height: size }, signal));
    const kept = temporary(new KeptTensors());
    const first = kept.make(
      () => tf.add(tf.mul(tf.expandDims(image, 0), input.scale), input.offset) as tf.Tensor4D,
    );
    const last = await inTurns(forward(predictor, weights, first, kept), signal);
    return (await last.data()) as Float32Array;
  });
}

function* forward(
  predictor: StylePredictor,
  weights: NamedTensors,
  image: tf.Tensor4D,
  kept: KeptTensors,
): Work<tf.Tensor4D> {
  const steps = resolvePredictor(predictor);
  const maps = new Map([[-1, image]]);
  const lastReaders = new Map(steps.flatMap(({ inputs }, i) => inputs.map((input) => [input, i] as const)));
  for (const [i, { step, inputs }] of steps.entries()) {
    const read = inputs.map((input) => maps.get(input) as tf.Tensor4D);
    const output = kept.make(() => {
      const parameters = predictorTensors(step).map(({ name, shape }) =>
        tf.tensor(tensorValues(predictor.name, name, shape, weights), [...shape]),
      );
      return apply(step, read, parameters);
    });
    maps.set(i, output);
    for (const input of inputs) if (lastReaders.get(input) === i) kept.free(maps.get(input));
    yield;
  }
  return maps.get(steps.length - 1) as tf.Tensor4D;
}

/** Applies a step with its kernel and bias; to be called in a scope that frees what is not returned. */
function apply(
  step: PredictorStep,
  [map, other]: readonly tf.Tensor4D[],
  [kernel, bias]: readonly tf.Tensor[],
): tf.Tensor4D {
  const shifted = (sums: tf.Tensor4D): tf.Tensor4D => (bias ? tf.add(sums, bias) : sums);
  switch (step.op) {
    case 'conv':
      return shifted(
        convolve(padMap(map, step.padding, padsOf(step)), kernel as tf.Tensor4D, step.stride ?? 1),
      );
    case 'depthwiseConv': {
      const outer = padMap(map, 'zero', step.pads);
      requireMemory(4 * outer.size);
      return shifted(tf.depthwiseConv2d(outer, kernel as tf.Tensor4D, step.stride ?? 1, 'valid'));
    }
    case 'add':
      return tf.add(map, other);
    case 'globalAveragePool':
      return tf.mean(map, [1, 2], true);
    case 'leakyRelu':
      return tf.leakyRelu(map, step.slope ?? 0.01);
    case 'relu6':
      return tf.relu6(map);
    case 'relu':
      return tf.relu(map);
    case 'sigmoid':
      return tf.sigmoid(map);
    case 'tanh':
      return tf.tanh(map);
  }
}
