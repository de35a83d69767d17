import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { createTfjsGenerator } from '../../../src/engines/tfjs/generator/tfjs-generator';
import { parametersAt } from '../../../src/features/generator-condition';
import type { NamedTensors } from '../../../src/features/network';
import { predictStyle } from '../../../src/generators/predict-style';
import { readCartoonGan } from '../../../src/generators/readers/cartoon-gan';
import {
  type OnnxNetwork,
  type OnnxNetworkOptions,
  readOnnxNetwork,
} from '../../../src/generators/readers/onnx';
import { expectNoLeak } from '../../../src/testing';
import { readSafetensors } from '../../../src/weights/safetensors';
import { hasShared, shared } from '../../support/shared';
import '../../support/to-be-allclose';

/** Values of onnxruntime; the script that wrote them is scripts/reference/onnx_networks.py. */
const reference = JSON.parse(readFileSync('test/reference/onnx-networks.json', 'utf8'));

interface Reference {
  readonly image: readonly number[];
  readonly shape: readonly [number, number, number];
  readonly output: readonly number[];
}

const bytesOf = (file: string) => new Uint8Array(readFileSync(file));

const read = (file: string, options?: OnnxNetworkOptions) => readOnnxNetwork(bytesOf(file), file, options);

const tiny = (name: string, options?: OnnxNetworkOptions) =>
  read(`test/reference/onnx/${name}.onnx`, options);

const imageOf = ({ image, shape }: Pick<Reference, 'image' | 'shape'>) => tf.tensor3d([...image], [...shape]);

/** What a generator paints of a reference's image. */
async function painted(
  { network, weights, condition }: Extract<OnnxNetwork, { kind: 'generator' }>,
  of: Pick<Reference, 'image' | 'shape'>,
  vector: readonly number[] = [],
): Promise<ArrayLike<number>> {
  const parameters: NamedTensors = condition ? parametersAt(condition, vector) : new Map();
  const program = createTfjsGenerator({ network, weights: new Map([...weights, ...parameters]) });
  const image = imageOf(of);
  const output = await program.run(image);
  const values = output.dataSync();
  tf.dispose([image, output]);
  program.dispose();
  return values;
}

function generator(found: OnnxNetwork): Extract<OnnxNetwork, { kind: 'generator' }> {
  if (found.kind === 'generator') return found;
  throw new Error(`found a ${found.kind}`);
}

function predictor(found: OnnxNetwork): Extract<OnnxNetwork, { kind: 'predictor' }> {
  if (found.kind === 'predictor') return found;
  throw new Error(`found a ${found.kind}`);
}

/** A generator clips its output to [0,1], onnxruntime does not. */
const clipped = (values: readonly number[]) => values.map((value) => Math.min(1, Math.max(0, value)));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a network that PyTorch exported', () => {
  test('of fast neural style paints as onnxruntime, in the range of 0 to 255', async () => {
    const found = generator(await tiny('fast-neural-style', { outputRange: [0, 255] }));
    const { output, ...of }: Reference = reference['fast-neural-style'];
    expect(await painted(found, of)).toBeAllclose(clipped(output), { atol: 1e-4 });
  });

  test('of CycleGAN paints as onnxruntime, in the range that its tanh tells', async () => {
    const { output, ...of }: Reference = reference.cyclegan;
    expect(await painted(generator(await tiny('cyclegan')), of)).toBeAllclose(output, { atol: 1e-4 });
  });

  test('of pix2pix, with batch norms and kernels of 4, paints as onnxruntime', async () => {
    const { output, ...of }: Reference = reference.pix2pix;
    expect(await painted(generator(await tiny('pix2pix')), of)).toBeAllclose(output, { atol: 1e-4 });
  });
});

describe('a network as tf2onnx writes it', () => {
  test('with norms in arithmetic that a vector scales and shifts paints as onnxruntime', async () => {
    const found = generator(await tiny('conditional'));
    const { output, vector, ...of } = reference.conditional as Reference & { vector: number[] };
    expect(found.condition?.size).toBe(5);
    expect(found.condition?.parameters.size).toBe(10);
    expect(await painted(found, of, vector)).toBeAllclose(output, { atol: 1e-4 });
  });

  test('from a picture to a vector predicts as onnxruntime, and leaks nothing', async () => {
    const found = predictor(await tiny('predictor'));
    const { output, ...of }: Reference = reference.predictor;
    const image = imageOf(of);
    await expectNoLeak(async () => {
      expect(await predictStyle(found, image)).toBeAllclose(output, { atol: 1e-4 });
    });
    image.dispose();
  });
});

describe.runIf(hasShared('generators'))('a network of other people', () => {
  const { others } = reference;

  test('of 26 styles paints a blend as onnxruntime', async () => {
    const found = generator(await read(shared('generators/multistyle26/multistyle26.onnx')));
    const { weights, output } = others.multistyle26;
    expect(found.condition?.size).toBe(26);
    expect(await painted(found, others, weights)).toBeAllclose(output, { atol: 1e-3 });
  });

  test('of any style predicts and paints as onnxruntime', async () => {
    const folder = shared('generators/magenta-arbitrary');
    const found = predictor(await read(`${folder}/arbitrary_predict.onnx`));
    const { vector, output } = others.magenta;
    const style = waves(found.predictor.size);
    expect(await predictStyle(found, style)).toBeAllclose(vector, { atol: 1e-3 });
    style.dispose();
    const transformer = generator(await read(`${folder}/arbitrary_transform.onnx`));
    expect(await painted(transformer, others, vector)).toBeAllclose(output, { atol: 1e-3 });
  }, 120_000);

  test('that draws cartoons paints as onnxruntime', async () => {
    const file = shared('generators/cartoongan-hayao.safetensors');
    const { tensors } = readSafetensors(bytesOf(file), file);
    const found = { kind: 'generator' as const, condition: undefined, ...readCartoonGan(tensors) };
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
