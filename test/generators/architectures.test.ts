import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadProgram } from '../../src/engines/load-program';
import {
  type Architecture,
  arbitrary,
  createGenerator,
  multiStyle,
  openGenerator,
  predictStyle,
  type StylizeOptions,
  stylize,
  textureNet,
} from '../../src/generators';
import type { NamedTensors } from '../../src/weights/tensor-file';
import reference from '../reference/architectures.json' with { type: 'json' };
import '../support/backends';
import { numbersOf } from '../support/to-be-allclose';

/** A case of the file. */
interface Case {
  readonly size: readonly number[];
  readonly image: readonly number[];
  readonly output: readonly number[];
  readonly weights: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
  >;
}

const { textureNet: texture, multiStyle: multi, arbitrary: any } = reference.cases;

const tensorsOf = ({ weights }: Case): NamedTensors =>
  new Map(
    Object.entries(weights).map(([name, { shape, values }]) => [
      name,
      { shape, values: Float32Array.from(values) },
    ]),
  );

const imageOf = ({ size: [height, width] }: Case, values: readonly number[]) =>
  tf.tensor3d(Float32Array.from(values), [height, width, 3]);

// Whole networks against PyTorch's own writing of them: names of tensors, order of joins, and blends included.
describe.each(['wasm', 'tfjs'] as const)(
  'whole networks on the engine %s, as PyTorch computes them',
  (engine) => {
    beforeAll(async () => {
      await tf.setBackend('wasm');
    });

    const options = engine === 'wasm' ? { engine, threads: 1 } : { engine };

    async function painted(
      one: Case,
      { network, predictor, styles }: Architecture,
      how: StylizeOptions = {},
    ) {
      const generator = createGenerator({ network, predictor, styles, weights: tensorsOf(one) });
      using open = await openGenerator(generator, options);
      const photo = imageOf(one, one.image);
      const { image } = await stylize(photo, open, how);
      const numbers = await numbersOf(image);
      tf.dispose([photo, image]);
      return { numbers, generator };
    }

    it('textureNet, with its noise and every gradient', async () => {
      const architecture = textureNet(texture.options);
      const { numbers } = await painted(texture, architecture, { seed: texture.seed });
      expect(numbers).toBeAllclose(texture.output, { rtol: 1e-4, atol: 1e-5 });
      const { network } = architecture;
      const program = await loadProgram({ network, weights: tensorsOf(texture) }, options);
      const photo = imageOf(texture, texture.image);
      const gradients = await program.gradients(photo, () => imageOf(texture, texture.cotangent), {
        seed: texture.seed,
      });
      const lengthOf = (values: readonly number[]) => Math.hypot(...values);
      const expected: Readonly<Record<string, readonly number[]>> = texture.gradients;
      const whole = lengthOf(Object.values(expected).flat());
      expect(program.parameters.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
      for (const { name, offset } of program.parameters) {
        const error = lengthOf(expected[name].map((value, i) => gradients[offset + i] - value));
        expect(error / Math.max(lengthOf(expected[name]), 1e-3 * whole), name).toBeLessThan(5e-4);
      }
      photo.dispose();
      program.dispose();
    });

    it('multiStyle, at a blend', async () => {
      const { styleWeights } = multi;
      const { numbers } = await painted(multi, multiStyle(multi.options), { styleWeights });
      expect(numbers).toBeAllclose(multi.output, { rtol: 1e-4, atol: 1e-5 });
    });

    it('arbitrary, from a style image to the picture', async () => {
      const pixels = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => {
        const [x, y, c] = [Math.floor(i / 3) % 256, Math.floor(i / 768), i % 3];
        return ((7 * x + 13 * y + 29 * c + Math.floor((x * y) / 64)) % 64) / 63;
      });
      const style = tf.tensor3d(pixels, [256, 256, 3]);
      const { numbers, generator } = await painted(any, arbitrary(any.options), { style });
      expect(numbers).toBeAllclose(any.output, { rtol: 1e-4, atol: 1e-5 });
      expect([...(await predictStyle(generator, style))]).toBeAllclose(any.vector, {
        rtol: 1e-4,
        atol: 1e-5,
      });
      style.dispose();
    });
  },
);
