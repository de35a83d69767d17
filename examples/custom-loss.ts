/**
 * A custom loss together with losses of the library: `npx tsx examples/custom-loss.ts [CONTENT STYLE OUTPUT]`. It
 * prefers warm pictures: the mean of red should exceed the mean of blue by a margin.
 */
import * as tf from '@tensorflow/tfjs-core';
import { contentLoss, defineLoss, styleLoss, sum, weighted } from 'tfjs-style-transfer/losses';
import { styleTransfer, useWasm, writeImage } from 'tfjs-style-transfer/node';
import { checkGradient, tinyExtractor } from 'tfjs-style-transfer/testing';

const images = new URL('images/', import.meta.url);
const [content = new URL('content.jpg', images), style = new URL('style.jpg', images), output = 'warm.png'] =
  process.argv.slice(2);

/** max(0, margin + mean blue - mean red)^2: 0 once the picture is warm enough. */
const warmth = (margin: number) =>
  defineLoss({
    name: 'warmth',
    layers: ['image'],
    compute: ({ image }) => {
      const means = tf.mean(image, [0, 1, 2]);
      const difference = tf.sum(tf.mul(means, [-1, 0, 1]));
      return tf.square(tf.relu(tf.add(difference, margin))) as tf.Scalar;
    },
  });

await useWasm();

// Before the long run: the gradient against central differences, on a network of a few kilobytes, in milliseconds.
const tiny = tinyExtractor();
const noise = tf.randomUniform([12, 12, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
await checkGradient(warmth(0.5), tiny.extract(noise, ['image']));
tiny.dispose();

const result = await styleTransfer(content, style, {
  size: 256,
  iterations: 40,
  loss: ({ extractor, content, style }) =>
    sum([
      contentLoss(extractor.extract(content, ['conv2_2'])),
      weighted(
        1e6,
        styleLoss(extractor.extract(style, ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'])),
      ),
      weighted(1e4, warmth(0.15)),
    ]),
});
await writeImage(result.image, output);
console.log(`${output}:`, result.terms);
result.dispose();
