import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FromModelOptions, fromModel, type ImageModel, stylize } from '../../src/generators';
import { expectNoLeak } from '../../src/testing';
import '../support/to-be-allclose';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The mean and deviation of each picture's channels to 0 and 1, as CycleGAN's norms. */
class InstanceNorm extends tf.layers.Layer {
  static className = 'InstanceNorm';
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat();
      const { mean, variance } = tf.moments(x, [1, 2], true);
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
    });
  }
}

const seeded = (seed: number) => tf.initializers.glorotUniform({ seed });

/** A U-Net of pix2pix's kind: two halvings by 4x4 kernels, batch norm, a skip, tanh; of one size. */
function pix2pix(): tf.LayersModel {
  const conv = (filters: number, seed: number) =>
    tf.layers.conv2d({
      filters,
      kernelSize: 4,
      strides: 2,
      padding: 'same',
      kernelInitializer: seeded(seed),
    });
  const spread = (filters: number, seed: number, activation?: 'tanh') =>
    tf.layers.conv2dTranspose({
      filters,
      kernelSize: 4,
      strides: 2,
      padding: 'same',
      activation,
      kernelInitializer: seeded(seed),
    });
  const input = tf.input({ shape: [16, 16, 3] });
  const outer = conv(4, 1).apply(input) as tf.SymbolicTensor;
  const inner = conv(8, 2).apply(tf.layers.leakyReLU({ alpha: 0.2 }).apply(outer));
  const up = spread(4, 3).apply(tf.layers.batchNormalization().apply(inner)) as tf.SymbolicTensor;
  const dropped = tf.layers.dropout({ rate: 0.5 }).apply(up) as tf.SymbolicTensor;
  const joined = tf.layers.concatenate().apply([dropped, outer]);
  return tf.model({ inputs: input, outputs: spread(3, 4, 'tanh').apply(joined) as tf.SymbolicTensor });
}

/** A residual network of CycleGAN's kind: instance norms, a halving, a transposed convolution, tanh; of any size. */
function cycleGan(): tf.LayersModel {
  const norm = (x: tf.SymbolicTensor) => new InstanceNorm({}).apply(x) as tf.SymbolicTensor;
  const conv = (x: tf.SymbolicTensor, filters: number, strides: number, seed: number) =>
    tf.layers
      .conv2d({ filters, kernelSize: 3, strides, padding: 'same', kernelInitializer: seeded(seed) })
      .apply(x) as tf.SymbolicTensor;
  const input = tf.input({ shape: [null, null, 3] });
  const half = norm(conv(input, 6, 2, 5));
  const residual = tf.layers.add().apply([half, norm(conv(half, 6, 1, 6))]) as tf.SymbolicTensor;
  const up = tf.layers
    .conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', kernelInitializer: seeded(7) })
    .apply(residual) as tf.SymbolicTensor;
  const output = tf.layers.activation({ activation: 'tanh' }).apply(conv(norm(up), 3, 1, 8));
  return tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
}

const picture = (height: number, width: number) =>
  tf.tensor3d(
    Float32Array.from({ length: height * width * 3 }, (_, i) => ((i * 7919) % 256) / 255),
    [height, width, 3],
  );

/** What `stylize` makes of an image by a model. */
async function paint(model: ImageModel, options: FromModelOptions, image: tf.Tensor3D): Promise<tf.Tensor3D> {
  const generator = fromModel(model, options);
  const painted = await stylize(image, generator);
  generator.dispose();
  return painted.image;
}

/** What a model paints, computed by hand: [-1, 1] in and out. */
const byHand = (model: tf.LayersModel, image: tf.Tensor3D) =>
  tf.tidy(() => {
    const output = model.predict(tf.expandDims(tf.sub(tf.mul(image, 2), 1), 0)) as tf.Tensor;
    return Array.from(tf.div(tf.add(output, 1), 2).dataSync());
  });

describe('a pix2pix-shaped model', () => {
  test('paints an image of its size as the model does, and leaks nothing', async () => {
    const model = pix2pix();
    const image = picture(16, 16);
    await expectNoLeak(async () => {
      const painted = await paint(model, { range: [-1, 1] }, image);
      expect(painted.shape).toEqual([16, 16, 3]);
      expect(painted).toBeAllclose(byHand(model, image), { atol: 1e-6 });
      painted.dispose();
    });
  });

  test('paints an image of another size at its own size', async () => {
    const image = picture(24, 40);
    const painted = await paint(pix2pix(), { range: [-1, 1] }, image);
    expect(painted.shape).toEqual([24, 40, 3]);
  });
});

describe('a CycleGAN-shaped model', () => {
  test('paints an image of any size, mirrored to an even one and cropped', async () => {
    const model = cycleGan();
    const image = picture(9, 13);
    const painted = await paint(model, { range: [-1, 1], multiple: 2 }, image);
    const even = tf.tidy(() => {
      const tall = tf.concat([image, tf.slice3d(image, [7, 0, 0], [1, 13, 3])], 0);
      return tf.concat([tall, tf.slice3d(tall, [0, 11, 0], [10, 1, 3])], 1) as tf.Tensor3D;
    });
    const expected = tf.slice(tf.tensor(byHand(model, even), [10, 14, 3]), [0, 0, 0], [9, 13, 3]);
    expect(painted.shape).toEqual([9, 13, 3]);
    expect(painted).toBeAllclose(expected, { atol: 1e-6 });
  });

  test('says which multiple an odd size lacks', async () => {
    await expect(paint(cycleGan(), { range: [-1, 1] }, picture(9, 13))).rejects.toMatchObject({
      code: 'WRONG_SHAPE',
      option: 'model',
    });
  });
});

describe('a model', () => {
  /** x / 2 of channels first, and blue first. */
  const half: ImageModel = {
    inputs: [{ shape: [null, 3, null, null] }],
    predict: (x) => tf.mul(x, [[[[0.5]], [[0.25]], [[1]]]]),
  };

  test('with channels first, blue first and values to 255 gets and gives what it takes', async () => {
    const image = picture(2, 3);
    const painted = await paint(half, { range: [0, 255], layout: 'NCHW', channels: 'BGR' }, image);
    expect(painted).toBeAllclose(tf.mul(image, [1, 0.25, 0.5]), { atol: 1e-6 });
  });

  test('that is a graph model paints', async () => {
    const node = (name: string, op: string, input: readonly string[] = []) => ({
      name,
      op,
      input,
      attr: { dtype: { type: 'DT_FLOAT' }, T: { type: 'DT_FLOAT' } },
    });
    const shape = { shape: { dim: [{ size: '1' }, { size: '-1' }, { size: '-1' }, { size: '3' }] } };
    const image = node('image', 'Placeholder');
    const artifacts = {
      format: 'graph-model',
      modelTopology: {
        node: [{ ...image, attr: { ...image.attr, shape } }, node('painted', 'Tanh', ['image'])],
        versions: {},
      },
      weightSpecs: [],
      weightData: new ArrayBuffer(0),
    };
    const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts as unknown as tf.io.ModelArtifacts));
    const given = picture(2, 3);
    const painted = await paint(model, { range: [0, 1] }, given);
    expect(painted).toBeAllclose(tf.tanh(given), { atol: 1e-6 });
  });
});
