import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { predictStyle } from '../../src/engines/predict-style';
import { createTfjsGenerator } from '../../src/engines/tfjs/generator/tfjs-generator';
import { type Generator, parametersOf } from '../../src/features/generator';
import { type ConvertGeneratorOptions, convertGenerator } from '../../src/generators/convert';
import { encodeGenerator } from '../../src/generators/file/encode-generator';
import { loadGenerator } from '../../src/generators/file/load-generator';
import { stylize } from '../../src/generators/stylize';
import { expectNoLeak } from '../../src/testing';
import { hasShared, shared } from '../support/shared';
import '../support/to-be-allclose';

/** Values of onnxruntime; the script that wrote them is scripts/reference/onnx_networks.py. */
const reference = JSON.parse(readFileSync('test/reference/onnx-networks.json', 'utf8'));

interface Reference {
  readonly image: readonly number[];
  readonly shape: readonly [number, number, number];
  readonly output: readonly number[];
}

const bytesOf = (file: string) => new Uint8Array(readFileSync(file));

const tinyFile = (name: string) => bytesOf(`test/reference/onnx/${name}.onnx`);

const tiny = (name: string, options?: ConvertGeneratorOptions) => convertGenerator(tinyFile(name), options);

const imageOf = ({ image, shape }: Pick<Reference, 'image' | 'shape'>) => tf.tensor3d([...image], [...shape]);

/** What a generator paints of a reference's image. */
async function painted(
  generator: Generator,
  of: Pick<Reference, 'image' | 'shape'>,
  vector: readonly number[] = [],
): Promise<ArrayLike<number>> {
  const program = createTfjsGenerator(generator);
  program.setParameters(parametersOf(generator, vector));
  const image = imageOf(of);
  const output = await program.run(image);
  const values = output.dataSync();
  tf.dispose([image, output]);
  program.dispose();
  return values;
}

/** A generator clips its output to [0,1], onnxruntime does not. */
const clipped = (values: readonly number[]) => values.map((value) => Math.min(1, Math.max(0, value)));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a network that PyTorch exported', () => {
  test('of fast neural style paints as onnxruntime, in the range of 0 to 255', async () => {
    const found = await tiny('fast-neural-style', { outputRange: [0, 255] });
    const { output, ...of }: Reference = reference['fast-neural-style'];
    expect(await painted(found, of)).toBeAllclose(clipped(output), { atol: 1e-4 });
  });

  test('of CycleGAN paints as onnxruntime, in the range that its tanh tells', async () => {
    const { output, ...of }: Reference = reference.cyclegan;
    expect(await painted(await tiny('cyclegan'), of)).toBeAllclose(output, { atol: 1e-4 });
  });

  test('of pix2pix, with batch norms and kernels of 4, paints as onnxruntime', async () => {
    const { output, ...of }: Reference = reference.pix2pix;
    expect(await painted(await tiny('pix2pix'), of)).toBeAllclose(output, { atol: 1e-4 });
  });
});

describe('a network of simpler operations', () => {
  test('with norms in arithmetic that a vector scales and shifts paints as onnxruntime', async () => {
    const found = await tiny('conditional');
    const { output, vector, ...of } = reference.conditional as Reference & { vector: number[] };
    expect(found.vectorLength).toBe(5);
    expect(await painted(found, of, vector)).toBeAllclose(output, { atol: 1e-4 });
  });

  test('with norms in arithmetic, sizes computed of shapes and a blend of styles paints as onnxruntime', async () => {
    const found = await tiny('blend');
    const { output, weights, ...of } = reference.blend as Reference & { weights: number[] };
    expect(found.network.input.scale[0]).toBeCloseTo(255 / 58);
    expect(found.network.steps.map(({ op }) => op)).toContain('averagePool');
    expect(await painted(found, of, weights)).toBeAllclose(output, { atol: 1e-4 });
  });

  test('from a picture to a vector predicts as onnxruntime, and leaks nothing', async () => {
    const found = await tiny('conditional', { predictor: tinyFile('predictor') });
    const { output, ...of }: Reference = reference.predictor;
    const image = imageOf(of);
    await expectNoLeak(async () => {
      expect(await predictStyle(found, image)).toBeAllclose(output, { atol: 1e-4 });
    });
    image.dispose();
  });
});

describe('a conversion', () => {
  test('of a network that has blue first gives one of RGB', async () => {
    const { output, shape, image }: Reference = reference.cyclegan;
    const turned = (values: readonly number[]) => values.map((_, i) => values[i + 2 - 2 * (i % 3)]);
    const found = await tiny('cyclegan', { channels: 'bgr' });
    expect(await painted(found, { shape, image: turned(image) })).toBeAllclose(turned(output), {
      atol: 1e-4,
    });
  });

  test('with a predictor goes into a file and comes back', async () => {
    const found = await tiny('conditional', {
      predictor: tinyFile('predictor'),
      name: 'tiny',
      license: 'CC0-1.0',
      origin: 'random numbers',
    });
    const read = await loadGenerator(encodeGenerator(found));
    expect(read).toEqual(found);
    const { output, ...of }: Reference = reference.predictor;
    const image = imageOf(of);
    expect(await predictStyle(read, image)).toBeAllclose(output, { atol: 1e-4 });
    const coarse = await loadGenerator(encodeGenerator(found, { quantize: true }));
    expect(await predictStyle(coarse, image)).toBeAllclose(output, { rtol: 0.1, atol: 0.1 });
    image.dispose();
  });

  test('with a predictor paints as a style image, or as its vector', async () => {
    const found = await tiny('conditional', { predictor: tinyFile('predictor') });
    const photo = imageOf(reference.conditional);
    const style = imageOf(reference.predictor);
    await expectNoLeak(async () => {
      const byImage = await stylize(photo, found, { style });
      const byVector = await stylize(photo, found, { style: await predictStyle(found, style) });
      expect(byImage.image).toBeAllclose(byVector.image, { atol: 1e-6 });
      const expected = await painted(found, reference.conditional, reference.predictor.output);
      expect(byImage.image).toBeAllclose(expected, { atol: 1e-3 });
      byImage.dispose();
      byVector.dispose();
    });
    await expect(stylize(photo, found)).rejects.toMatchObject({ code: 'MISSING_ARGUMENT', option: 'style' });
    for (const options of [{ style: new Float32Array(4) }, { style, styleWeights: [1] }])
      await expect(stylize(photo, found, options)).rejects.toMatchObject({ code: 'CONFLICTING_OPTIONS' });
    const plain = await tiny('cyclegan');
    await expect(stylize(photo, plain, { style })).rejects.toMatchObject({ code: 'CONFLICTING_OPTIONS' });
    tf.dispose([photo, style]);
  });

  test('refuses what is no file, the wrong kind of network, and a predictor of other vectors', async () => {
    await expect(convertGenerator('model.onnx' as never)).rejects.toMatchObject({
      code: 'WRONG_TYPE',
      option: 'file',
    });
    await expect(tiny('predictor')).rejects.toMatchObject({ code: 'UNSUPPORTED_NETWORK', option: 'file' });
    await expect(tiny('conditional', { predictor: tinyFile('cyclegan') })).rejects.toMatchObject({
      code: 'UNSUPPORTED_NETWORK',
      option: 'predictor',
    });
    await expect(tiny('blend', { predictor: tinyFile('predictor') })).rejects.toMatchObject({
      code: 'WRONG_WEIGHTS',
    });
    await expect(convertGenerator(bytesOf('test/reference/safetensors.safetensors'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_NETWORK',
    });
    await expect(tiny('cyclegan', { outputRange: [1, 1] })).rejects.toMatchObject({ option: 'outputRange' });
  });

  test('of networks without a predictor knows no style images', async () => {
    const image = imageOf(reference.predictor);
    await expect(predictStyle(await tiny('cyclegan'), image)).rejects.toMatchObject({ option: 'generator' });
    image.dispose();
  });
});

describe.runIf(hasShared('generators'))('a network of other people', () => {
  const { others } = reference;

  // The cpu backend takes ten times as long for networks of this size.
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  test('of 26 styles paints a blend as onnxruntime', async () => {
    const found = await convertGenerator(bytesOf(shared('generators/multistyle26/multistyle26.onnx')));
    const { weights, output } = others.multistyle26;
    expect(found.vectorLength).toBe(26);
    expect(await painted(found, others, weights)).toBeAllclose(output, { atol: 1e-3 });
  });

  test('of any style predicts and paints as onnxruntime', async () => {
    const folder = shared('generators/magenta-arbitrary');
    const found = await convertGenerator(bytesOf(`${folder}/arbitrary_transform.onnx`), {
      predictor: bytesOf(`${folder}/arbitrary_predict.onnx`),
      license: 'Apache-2.0',
    });
    const { vector, output } = others.magenta;
    const style = waves(256);
    expect(await predictStyle(found, style)).toBeAllclose(vector, { atol: 1e-3 });
    style.dispose();
    expect(await painted(found, others, vector)).toBeAllclose(output, { atol: 1e-3 });
  }, 120_000);

  test('that draws cartoons paints as onnxruntime', async () => {
    const file = shared('generators/cartoongan-hayao.safetensors');
    const found = await convertGenerator(bytesOf(file));
    const { output } = others['cartoongan-hayao'];
    expect(await painted(found, others)).toBeAllclose(output, { atol: 1e-3 });
  }, 120_000);
});

/** The style image of the reference. */
function waves(size: number): tf.Tensor3D {
  const values = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < 3; c++)
        values[(y * size + x) * 3 + c] =
          0.5 + 0.2 * Math.sin(0.1 * x * (c + 1) + 0.05 * y) + 0.2 * Math.sin(0.013 * x * y);
  return tf.tensor3d(values, [size, size, 3]);
}
