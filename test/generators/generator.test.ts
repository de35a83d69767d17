import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../src/engines/load-program';
import { parametersOf } from '../../src/features/generator';
import { generatorParameters } from '../../src/features/generator-parameters';
import { arbitrary, createGenerator, johnson, multiStyle, stylize, textureNet } from '../../src/generators';
import { initialWeights } from '../../src/generators/architectures/initial-weights';
import { startOf } from '../../src/generators/training/start';
import { noise } from '../support/images';
import { numbersOf } from '../support/to-be-allclose';

const { network } = johnson({ width: 2, blocks: 1 });

describe('johnson', () => {
  it('has the parameters of the paper’s layers at width 8', () => {
    // Kernels and norms: 9x9 3-8, 3x3 8-16 and 16-32, ten of 3x3 32-32, 3x3 32-16 and 16-8, 9x9 8-3 with its bias.
    const count = 1960 + 1184 + 4672 + 10 * 9280 + 4640 + 1168 + 1947;
    expect(
      parametersOf({ network: johnson().network, weights: johnson().initialWeights(1) }, []),
    ).toHaveLength(count);
  });

  it('has initial weights that only the seed determines, within the bound of their fan-in', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => initialWeights(network, seed));
    expect(one).toEqual(same);
    expect(one.get('enter/kernel')).not.toEqual(other.get('enter/kernel'));
    const kernel = one.get('down1/kernel')?.values ?? [];
    const bound = 1 / Math.sqrt(9 * 2);
    expect(Math.max(...kernel)).toBeLessThan(bound);
    expect(Math.max(...kernel)).toBeGreaterThan(0.8 * bound);
    expect(Math.min(...kernel)).toBeLessThan(-0.8 * bound);
    expect(one.get('down1/scale')?.values).toEqual(Float32Array.of(1, 1, 1, 1));
    expect(one.get('down1/shift')?.values).toEqual(Float32Array.of(0, 0, 0, 0));
  });

  it('has a kernel of each channel of noise for each of the block, and paints another picture for another seed', async () => {
    await tf.setBackend('cpu');
    const weightsAt = (channels: number) => {
      const made = johnson({ noise: channels, width: 2 });
      return { network: made.network, weights: made.initialWeights(1) };
    };
    const count = (channels: number) => parametersOf(weightsAt(channels), []).length;
    expect(count(4) - count(0)).toBe(4 * 9 * 8);
    const program = await loadProgram(weightsAt(4), { engine: 'tfjs' });
    const grey = tf.fill([16, 16, 3], 0.5) as tf.Tensor3D;
    const painted = async (seed: number) => numbersOf(await program.run(grey, { seed }));
    expect(await painted(1)).toEqual(await painted(1));
    expect(await painted(2)).not.toEqual(await painted(1));
    program.dispose();
    expect(() => johnson({ noise: 4, blocks: 0 })).toThrow(
      'blocks is 0 and noise is 4; accepted: at least one block beside noise, which the first one reads.',
    );
  });

  it('says which option is wrong', () => {
    expect(() => johnson({ width: 0 })).toThrow('width is 0; accepted: a whole number from 1 to 256');
    expect(() => johnson({ widht: 8 } as never)).toThrow(
      "johnson has no option 'widht'; did you mean 'width'?",
    );
  });
});

describe('textureNet', () => {
  it('has the parameters of the prototype in PyTorch at width 8 with 5 scales', () => {
    const { network: texture, initialWeights: weights } = textureNet();
    expect(parametersOf({ network: texture, weights: weights(1) }, [])).toHaveLength(72_283);
  });

  it('paints pictures that its seed determines', async () => {
    await tf.setBackend('cpu');
    const { network: texture, initialWeights: weights } = textureNet({ width: 2, scales: 3 });
    const program = await loadProgram({ network: texture, weights: weights(1) }, { engine: 'tfjs' });
    const image = noise(8, 12);
    const pictures: number[][] = [];
    for (const seed of [1, 1, 2]) {
      const made = await program.run(image, { seed });
      pictures.push(await numbersOf(made));
      made.dispose();
    }
    expect(pictures[0]).toEqual(pictures[1]);
    expect(pictures[0]).not.toEqual(pictures[2]);
    image.dispose();
    program.dispose();
  });

  it('has no noise where none is wanted', () => {
    expect(textureNet({ noise: 0 }).network.steps.some(({ op }) => op === 'noise')).toBe(false);
    expect(() => textureNet({ scales: 9 })).toThrow('scales is 9; accepted: a whole number from 1 to 8');
  });
});

describe('multiStyle', () => {
  it('is, untrained, the network without styles, whatever the blend', () => {
    const {
      network: many,
      initialWeights: weights,
      styles,
    } = multiStyle({ styles: ['a', 'b'], width: 2, blocks: 1 });
    const generator = createGenerator({ network: many, weights: weights(1), styles });
    expect(generator.vectorLength).toBe(2);
    const plain = parametersOf({ network, weights: initialWeights(network, 1) }, []);
    for (const blend of [
      [1, 0],
      [0.25, 0.75],
    ])
      expect(parametersOf(generator, blend)).toEqual(plain);
  });

  it('is refused by a training of one picture', async () => {
    const architecture = multiStyle({ styles: ['a', 'b'], width: 2, blocks: 1 });
    await expect(
      startOf({ architecture, base: 'none', seed: 1, styles: undefined }, undefined),
    ).rejects.toThrow(
      'architecture is multiStyle, which is for many styles, and style is one picture; accepted: an architecture of one style, or a list of pictures as style.',
    );
  });

  it.each([[[]], [['a', 'a']], ['a'], [undefined]])('refuses the styles %j', (styles) => {
    expect(() => multiStyle({ styles } as never)).toThrow('accepted: a list of different names');
  });
});

describe('arbitrary', () => {
  it('paints, untrained, by the vector that its predictor finds in a style image', async () => {
    await tf.setBackend('cpu');
    const made = arbitrary({ width: 2, blocks: 1, vectorLength: 5, predictorWidth: 1 });
    const generator = createGenerator({ ...made, weights: made.initialWeights(1) });
    expect(generator.vectorLength).toBe(5);
    const image = noise(8, 8, 1);
    const painted: number[][] = [];
    for (const seed of [2, 2, 3]) {
      const style = noise(16, 20, seed);
      const result = await stylize(image, generator, { style, engine: 'tfjs' });
      painted.push(await numbersOf(result.image));
      result.dispose();
      style.dispose();
    }
    image.dispose();
    expect(painted[0]).toEqual(painted[1]);
    expect(painted[0]).not.toEqual(painted[2]);
  });
});

describe('createGenerator', () => {
  const weights = initialWeights(network, 1);

  it('refuses weights that are not finite', () => {
    const broken = new Map(weights).set('leave/bias', {
      shape: [3],
      values: Float32Array.of(0, Number.NaN, 0),
    });
    expect(() => createGenerator({ network, weights: broken })).toThrow(
      'the number NaN; accepted: finite numbers',
    );
  });

  it('refuses slopes that do not fit the norm or each other', () => {
    const slopes = (length: number, channels: number) => ({
      shape: [length, channels],
      values: new Float32Array(length * channels),
    });
    expect(() =>
      createGenerator({ network, weights: new Map(weights).set('enter/scale/slopes', slopes(3, 5)) }),
    ).toThrow('found [3,5]; accepted: [length of the style vector, 2]');
    const different = new Map(weights)
      .set('enter/scale/slopes', slopes(3, 2))
      .set('enter/shift/slopes', slopes(4, 2));
    expect(() => createGenerator({ network, weights: different })).toThrow('style vectors of lengths 3,4');
  });

  it('refuses steps that do not give an image', () => {
    const steps = network.steps.slice(0, 1);
    expect(() => createGenerator({ network: { ...network, steps }, weights })).toThrow(
      "ends with 2 channels at 1/1 of the image's size; accepted: 3 channels at the image's size",
    );
  });

  it('adds a style vector times the slopes to the parameters', () => {
    const conditional = new Map(weights)
      .set('enter/shift', { shape: [2], values: Float32Array.of(0.5, -0.5) })
      .set('enter/shift/slopes', { shape: [2, 2], values: Float32Array.of(1, 2, 10, 20) });
    const generator = createGenerator({ network, weights: conditional });
    expect(generator.vectorLength).toBe(2);
    const offset = generatorParameters(network).find(({ name }) => name === 'enter/shift')?.offset ?? -1;
    // 0.5 + 0.25 * 1 + 0.1 * 10 and -0.5 + 0.25 * 2 + 0.1 * 20.
    expect(parametersOf(generator, [0.25, 0.1]).subarray(offset, offset + 2)).toEqual(
      Float32Array.of(1.75, 2),
    );
  });
});
