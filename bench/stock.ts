import * as tf from '@tensorflow/tfjs';
import { conventions } from '../src/features/vgg19/conventions';
import type { ConvLayer } from '../src/features/vgg19/layers';
import type { LayerWeights } from '../src/features/vgg19/source';
import type { Scene } from './scene';

/**
 * The same loss as anyone would write it: plain operations of the umbrella package, `tf.valueAndGrad`, nothing of ours.
 *
 * @returns a function that computes value and gradient once and waits for both
 */
export function stockEvaluation(
  weights: ReadonlyMap<ConvLayer, LayerWeights>,
  { content, style }: Scene,
): () => Promise<number> {
  const { input, biasScale } = conventions.caffe;
  const convolutions = [...weights.values()].map(({ kernel, bias }) => {
    const channelsOut = bias.length;
    const filter = tf.tensor4d(kernel, [3, 3, kernel.length / 9 / channelsOut, channelsOut]);
    return { filter, bias: tf.mul(tf.tensor1d(bias), biasScale) };
  });
  const features = (image: tf.Tensor): tf.Tensor4D[] => {
    const found: tf.Tensor4D[] = [];
    let x = tf.reverse(tf.add(tf.mul(image, input.scale), input.offset), -1).expandDims(0) as tf.Tensor4D;
    for (const [i, { filter, bias }] of convolutions.entries()) {
      if (i === 2 || i === 4) x = tf.maxPool(x, 2, 2, 'valid');
      const y = tf.add(tf.conv2d(x, filter, 1, 'same'), bias) as tf.Tensor4D;
      found.push(y);
      x = tf.relu(y);
    }
    return found;
  };
  const gram = (feature: tf.Tensor4D): tf.Tensor => {
    const matrix = tf.reshape(feature, [-1, feature.shape[3]]);
    return tf.div(tf.matMul(matrix, matrix, true, false), feature.size);
  };
  const target = tf.tidy(() => features(content)[3]);
  const grams = tf.tidy(() => features(style).map(gram));
  const evaluate = tf.valueAndGrad((image) => {
    const found = features(image);
    const styles = found.map((feature, i) => tf.mean(tf.squaredDifference(gram(feature), grams[i])));
    return tf.add(tf.mean(tf.squaredDifference(found[3], target)), tf.mul(tf.addN(styles), 1e6)) as tf.Scalar;
  });
  return async () => {
    const { value, grad } = evaluate(content);
    const [number] = await value.data();
    await grad.data();
    tf.dispose([value, grad]);
    return number;
  };
}
