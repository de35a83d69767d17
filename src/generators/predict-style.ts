import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations, requireMemory } from '../allocation';
import { convolve } from '../engines/tfjs/generator/convolutions';
import { KeptTensors } from '../engines/tfjs/generator/kept-tensors';
import { padMap } from '../engines/tfjs/generator/pads';
import { WeightsError } from '../errors';
import { padsOf } from '../features/generator-steps';
import { type NamedTensors, tensorValues } from '../features/network';
import type { PredictorStep, StylePredictor } from '../features/style-predictor';
import type { Image } from '../image/image';
import { inTurns, type Work } from '../image/in-turns';
import { imageFrom } from '../image/to-image';
import { showText } from '../options/show';
import { owning } from '../owning';

/** A predictor with its weights. */
export interface LoadedPredictor {
  readonly predictor: StylePredictor;
  /** The tensors of every step, and perhaps others. */
  readonly weights: NamedTensors;
}

/**
 * The vector that a predictor finds in a style image, by tfjs operations on the active backend.
 *
 * @param style the image, of any size; it is resized to the predictor's square
 * @throws WeightsError `UNSUPPORTED_NETWORK` if the steps do not fit together, `WRONG_WEIGHTS` if a tensor is missing
 *   or has another shape; the signal's reason
 */
export async function predictStyle(
  { predictor, weights }: LoadedPredictor,
  style: Image,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Float32Array> {
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
  { name: predictor, steps }: StylePredictor,
  weights: NamedTensors,
  input: tf.Tensor4D,
  kept: KeptTensors,
): Work<tf.Tensor4D> {
  const maps = new Map([['input', input]]);
  const lastReaders = new Map(
    steps.flatMap((step, i) => readBy(steps, i).map((name): [string, string] => [name, step.name])),
  );
  let last = input;
  for (const [i, step] of steps.entries()) {
    const read = readBy(steps, i);
    const inputs = read.map((name) => {
      const map = maps.get(name);
      if (map) return map;
      throw unfit(predictor, step, `reads '${showText(name)}'`, 'a step before it');
    });
    const channels = inputs[0].shape[3];
    const expected =
      'channelsIn' in step ? step.channelsIn : 'channels' in step ? step.channels : inputs.at(-1)?.shape[3];
    if (expected !== channels)
      throw unfit(predictor, step, `reads ${channels} channels`, `${expected} channels`);
    last = kept.make(() => apply(step, inputs, (name, shape) => tensorOf(predictor, weights, name, shape)));
    maps.set(step.name, last);
    kept.free(...read.filter((name) => lastReaders.get(name) === step.name).map((name) => maps.get(name)));
    yield;
  }
  return last;
}

/** Names of the maps that a step reads. */
function readBy(steps: readonly PredictorStep[], i: number): readonly string[] {
  const step = steps[i];
  const from = step.from ?? steps[i - 1]?.name ?? 'input';
  return step.op === 'add' ? [from, step.with] : [from];
}

type ParameterOf = (name: string, shape: readonly number[]) => tf.Tensor;

function tensorOf(
  predictor: string,
  weights: NamedTensors,
  name: string,
  shape: readonly number[],
): tf.Tensor {
  return tf.tensor(tensorValues(predictor, name, shape, weights), [...shape]);
}

/** Applies a step; to be called in a scope that frees what is not returned. */
function apply(
  step: PredictorStep,
  [map, other]: readonly tf.Tensor4D[],
  parameter: ParameterOf,
): tf.Tensor4D {
  switch (step.op) {
    case 'conv': {
      const { size, stride = 1, padding, channelsIn, channelsOut, kernel, bias } = step;
      const weights = parameter(kernel, [size, size, channelsIn, channelsOut]) as tf.Tensor4D;
      const sums = convolve(padMap(map, padding, padsOf(step)), weights, stride);
      return bias === undefined ? sums : tf.add(sums, parameter(bias, [channelsOut]));
    }
    case 'depthwiseConv': {
      const { size, stride = 1, pads, channels, kernel, bias } = step;
      const weights = parameter(kernel, [size, size, channels, 1]) as tf.Tensor4D;
      const outer = padMap(map, 'zero', pads);
      requireMemory(4 * outer.size);
      const sums = tf.depthwiseConv2d(outer, weights, stride, 'valid');
      return bias === undefined ? sums : tf.add(sums, parameter(bias, [channels]));
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

function unfit(predictor: string, step: PredictorStep, what: string, accepted: string): WeightsError {
  return new WeightsError(
    'UNSUPPORTED_NETWORK',
    `Step ${showText(step.name)} of the predictor ${showText(predictor)} ${what}; accepted: ${accepted}.`,
    { option: step.name, value: what, accepted },
  );
}
