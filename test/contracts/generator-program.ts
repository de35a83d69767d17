import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { GeneratorProgram, LoadedGenerator } from '../../src/engines/engine';
import type { GeneratorNetwork, GeneratorStep } from '../../src/features/generator-network';
import { noiseValues } from '../../src/features/generator-noise';
import { parameterVector } from '../../src/features/generator-parameters';
import type { NamedTensors } from '../../src/features/network';
import { initialWeights } from '../../src/generators/architectures/initial-weights';
import { johnson } from '../../src/generators/architectures/johnson';
import type { Image } from '../../src/image/image';
import { expectNoLeak } from '../../src/testing';
import reference from '../reference/generators.json' with { type: 'json' };
import { noise } from '../support/images';
import { numbersOf } from '../support/to-be-allclose';

/** What an engine makes of a network: `Engine.loadGenerator`. */
export type LoadGenerator = (generator: LoadedGenerator) => Promise<GeneratorProgram>;

/**
 * The contract of generators' programs: PyTorch's images and gradients for every operation; gradients that central
 * differences confirm for whole networks; noise by its seed; no leak; clear refusals.
 */
export function generatorProgramContract(
  load: LoadGenerator,
  { onGpu = false }: { readonly onGpu?: boolean } = {},
): void {
  describe.each(reference.cases)('$network.name', (one) => {
    const network = one.network as unknown as GeneratorNetwork;
    const weights = tensorsOf(one.weights);

    it('gives the image that PyTorch does, and the gradient of every parameter', async () => {
      const program = await load({ network, weights });
      const image = tensor(one.image, one.size);
      const cotangent = () => tensor(one.cotangent, one.size);
      const output = await expectNoLeak(() => program.run(image));
      expect(await numbersOf(output)).toBeAllclose(one.output, { rtol: 1e-4, atol: 1e-5 });
      let shown: Promise<number[]> = Promise.resolve([]);
      const gradients = await expectNoLeak(() =>
        program.gradients(image, (made) => {
          shown = numbersOf(made);
          return cotangent();
        }),
      );
      expect(await shown).toBeAllclose(await numbersOf(output), { rtol: 1e-5, atol: 1e-6 });
      const expected = new Map<string, readonly number[]>(Object.entries(one.gradients));
      expect(program.parameters.map(({ name }) => name)).toEqual([...expected.keys()]);
      const whole = lengthOf([...expected.values()].flat());
      for (const { name, offset } of program.parameters) {
        const wanted = expected.get(name) ?? [];
        const error = lengthOf(wanted.map((value, i) => gradients[offset + i] - value));
        // Some are zero: those of a shift before another norm.
        expect(error / Math.max(lengthOf(wanted), 1e-3 * whole), name).toBeLessThan(2e-4);
      }
      tf.dispose([image, output]);
      program.dispose();
    });
  });

  describe.each([
    { name: 'johnson', network: johnson({ width: 3, blocks: 1, skip: true }).network },
    { name: 'noise joined with the image', network: withNoise },
  ])('$name', ({ network }) => {
    it('has the gradient that central differences find', async () => {
      const weights = initialWeights(network, 3);
      const program = await load({ network, weights });
      const [image, cotangent] = [noise(16, 24, 1), noise(16, 24, 2)];
      const start = parameterVector(network, weights);
      const gradient = await program.gradients(image, () => tf.clone(cotangent), { seed: 5 });
      const length = lengthOf(gradient);
      // Of a graphics processor in software, a run takes tenths of a second.
      for (const seed of onGpu ? [11] : [11, 12, 13]) {
        const direction = noiseValues(seed, 0, start.length).map((value) => (value < 0.5 ? -1 : 1));
        const analytic = product(gradient, direction);
        let error = Number.POSITIVE_INFINITY;
        // Small steps, because larger ones cross the kinks of ReLUs.
        for (const step of onGpu ? [3e-5, 1e-4] : [1e-5, 3e-5, 1e-4, 3e-4]) {
          const at = async (sign: number) => {
            program.setParameters(start.map((value, i) => value + sign * step * direction[i]));
            const made = await program.run(image, { seed: 5 });
            const value = product(await numbersOf(made), await numbersOf(cotangent));
            made.dispose();
            return value;
          };
          const numeric = ((await at(1)) - (await at(-1))) / (2 * step);
          error = Math.min(error, Math.abs(numeric - analytic) / length);
        }
        expect(error).toBeLessThan(0.03);
      }
      tf.dispose([image, cotangent]);
      program.dispose();
    });
  });

  it('makes noise that only its seed determines', async () => {
    const steps: GeneratorStep[] = [{ op: 'noise', name: 'noise', channels: 3 }];
    const program = await load({ network: { ...identity, steps }, weights: new Map() });
    const image = noise(5, 7);
    for (const seed of [0, 1, -3]) {
      const output = await program.run(image, { seed });
      expect(await numbersOf(output)).toBeAllclose(noiseValues(seed, 0, 105));
      output.dispose();
    }
    image.dispose();
    program.dispose();
  });

  it('computes with the parameters that were set last', async () => {
    const { network } = johnson({ width: 2, blocks: 1 });
    const [first, second] = [initialWeights(network, 1), initialWeights(network, 2)];
    const [program, other] = [
      await load({ network, weights: first }),
      await load({ network, weights: second }),
    ];
    const image = noise(12, 8);
    const [before, expected] = [await program.run(image), await other.run(image)];
    await expectNoLeak(() => program.setParameters(parameterVector(network, second)));
    const after = await program.run(image);
    expect(await numbersOf(after)).toBeAllclose(await numbersOf(expected));
    expect(await numbersOf(before)).not.toBeAllclose(await numbersOf(expected), { rtol: 1e-2 });
    expect(() => program.setParameters(new Float32Array(3))).toThrow(
      expect.objectContaining({ code: 'WRONG_LENGTH' }),
    );
    tf.dispose([image, before, expected, after]);
    program.dispose();
    other.dispose();
  });

  it('leaves no tensor behind when a loss fails, has another shape, or the signal is aborted', async () => {
    const before = tf.memory().numTensors;
    const { network } = johnson({ width: 2, blocks: 1 });
    const program = await load({ network, weights: initialWeights(network, 1) });
    const image = noise(8, 8);
    const run = (make: (made: Image) => tf.Tensor3D, signal?: AbortSignal) =>
      program.gradients(image, make, { signal });
    const failing = () => {
      throw new RangeError('of the loss');
    };
    await expect(run(failing)).rejects.toThrow('of the loss');
    await expect(run(() => tf.ones([8, 8, 1]))).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
    await expect(run(tf.onesLike, AbortSignal.abort('no more'))).rejects.toBe('no more');
    await expect(program.run(image, { signal: AbortSignal.abort('no more') })).rejects.toBe('no more');
    image.dispose();
    program.dispose();
    program.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses images that it cannot compute, and use after its end', async () => {
    const { network } = johnson({ width: 2, blocks: 1 });
    const program = await load({ network, weights: initialWeights(network, 1) });
    await expect(program.run(noise(4, 4))).rejects.toMatchObject({ code: 'TOO_SMALL' });
    await expect(program.run(noise(10, 8))).rejects.toThrow('8x10 pixels; accepted: multiples of 4 pixels');
    await expect(program.run(tf.ones([8, 8, 1]) as never)).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' });
    program.dispose();
    const disposed = { code: 'DISPOSED' };
    await expect(program.run(noise(8, 8))).rejects.toMatchObject(disposed);
    await expect(program.gradients(noise(8, 8), tf.onesLike)).rejects.toMatchObject(disposed);
    expect(() => program.setParameters(parameterVector(network, initialWeights(network, 1)))).toThrow(
      expect.objectContaining(disposed),
    );
  });

  it('refuses weights that are missing or have another shape, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const { network } = johnson({ width: 2, blocks: 1 });
    const weights = new Map(initialWeights(network, 1));
    weights.set('down1/kernel', { shape: [4], values: new Float32Array(4) });
    await expect(load({ network, weights })).rejects.toThrow(
      'Weights down1/kernel of johnson: found [4] with 4 numbers; accepted: [3,3,2,4] with 72 numbers.',
    );
    weights.delete('down1/kernel');
    await expect(load({ network, weights })).rejects.toMatchObject({ code: 'WRONG_WEIGHTS' });
    expect(tf.memory().numTensors).toBe(before);
  });
}

const identity = {
  name: 'test',
  input: { scale: [1, 1, 1], offset: [0, 0, 0] },
  output: { scale: [1, 1, 1], offset: [0, 0, 0] },
} as const;

const withNoise: GeneratorNetwork = {
  ...identity,
  steps: [
    { op: 'noise', name: 'noise', channels: 2 },
    { op: 'concat', name: 'both', with: 'input' },
    { op: 'conv', name: 'a', channelsIn: 5, channelsOut: 4, size: 3, padding: 'zero', kernel: 'a/kernel' },
    { op: 'instanceNorm', name: 'n', channels: 4, scale: 'n/scale', shift: 'n/shift' },
    { op: 'noise', name: 'more', channels: 2 },
    { op: 'concat', name: 'all', with: 'n' },
    {
      op: 'conv',
      name: 'b',
      channelsIn: 6,
      channelsOut: 3,
      size: 3,
      padding: 'replicate',
      kernel: 'b/kernel',
    },
    { op: 'sigmoid', name: 'end' },
  ],
};

const tensorsOf = (
  record: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] } | undefined>
  >,
): NamedTensors =>
  new Map(
    Object.entries(record).flatMap(([name, one]) =>
      one ? [[name, { shape: one.shape, values: Float32Array.from(one.values) }] as const] : [],
    ),
  );

const tensor = (values: readonly number[], [height, width]: readonly number[]): Image =>
  tf.tensor3d([...values], [height, width, 3]);

const product = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

const lengthOf = (vector: ArrayLike<number>): number => Math.sqrt(product(vector, vector));
