import { describe, expect, it } from 'vitest';
import { bandsOf } from '../../../src/engines/shared/bands';
import { planFeatures } from '../../../src/engines/webgpu/losses/evaluation-plan';
import { type KernelTerm, partsOfTerms } from '../../../src/engines/webgpu/losses/parts';
import { planOf, tilingOf } from '../../../src/engines/webgpu/losses/tiling';
import type { Convolutions, FilterForm } from '../../../src/engines/webgpu/network/convolutions';
import { type NetworkWeights, type Stages, stagesOf } from '../../../src/engines/webgpu/network/network';
import { vgg19Network } from '../../../src/features/vgg19/network';
import { convolutionsBy } from '../../support/convolutions';

// Plans are counted and compared without a device: nothing is computed here.

const { steps, input } = vgg19Network({ lastLayer: 'conv3_1' });
const stages = stagesOf(steps, input) as Stages;
const network = (form: FilterForm, commandFlop?: number) => {
  const convolutions: Convolutions = { ...convolutionsBy(form), planeBytes: 2 ** 26, commandFlop };
  return { stages, convolutions };
};

const target = {} as never;
const mask = { weights: { dataId: {} } as never, mean: 'weights' } as const;
const of = { part: '', weight: 1, distance: 'mse', target } as const;
const styleLayers = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
const content: KernelTerm = { ...of, kind: 'feature', layer: 'conv2_2' };
const gram = { ...of, kind: 'gram', normalization: 'elements' } as const;
const paper = [content, ...styleLayers.map((layer): KernelTerm => ({ ...gram, layer }))];

/** Every kind of term, with and without masks. */
const every: readonly KernelTerm[] = [
  ...paper,
  { ...gram, layer: 'relu1_2', distance: 'relative', mask },
  { ...content, layer: 'relu2_1', distance: 'l1', mask },
  { ...content, layer: 'image' },
  { ...of, kind: 'totalVariation', layer: 'image' },
  { ...of, kind: 'totalVariation', layer: 'image', distance: 'l1', mask },
  { ...of, kind: 'statistic', layer: 'relu2_1', statistic: 'mean-variance' },
  { ...of, kind: 'statistic', layer: 'conv2_1', statistic: 'wasserstein', mask },
];

type Size = readonly [height: number, width: number];

const commandsOf = (
  terms: readonly KernelTerm[],
  form: FilterForm,
  size: Size,
  rows = size[0],
  commandFlop?: number,
) => {
  const layers = terms.map(({ layer }) => layer);
  const deep = layers.filter((layer) => layer !== 'image');
  const bands = rows < size[0] ? bandsOf(steps, deep, size[0], rows) : [undefined];
  const plan = planOf(network(form, commandFlop), partsOfTerms(layers, terms, stages), size, bands);
  return plan.flatMap((item) => ('code' in item ? [item] : []));
};

describe('the plan of an evaluation', () => {
  const [height, width] = [96, 160];
  /** Positions, input channels and channels of the convolutions, and products of a whole convolution. */
  const convolutions = steps.flatMap((step) =>
    step.op === 'conv' ? [{ ...step, positions: (height * width) / 4 ** (Number(step.name[4]) - 1) }] : [],
  );
  const products = convolutions.map(
    ({ positions, channelsIn, channelsOut }) => 2 * 9 * positions * channelsIn * channelsOut,
  );
  const total = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const grams = convolutions.map(({ positions, channelsOut: n }) => {
    // Tiles of 64 x 64 on and above the diagonal forwards, the whole matrix backwards.
    const across = n / 64;
    return 2 * positions * (64 * 64 * ((across * (across + 1)) / 2) + n * n);
  });

  it.each([
    ['taps', 1],
    ['windows2', 16 / 36],
    ['windows4', 36 / 144],
  ] as const)('costs what its convolutions and Gram products are: %s', (form, share) => {
    const [first, ...others] = products;
    const flop = total(commandsOf(paper, form, [height, width]).map(({ cost }) => cost?.flop ?? Number.NaN));
    expect(flop).toBe(2 * (first + share * total(others)) + total(grams));
  });

  it('counts the bytes of every command', () => {
    // Of buffers that are not there it counts none: values of terms have no others.
    for (const { label, cost } of commandsOf(every, 'windows4', [height, width]))
      expect([label, cost && (cost.bytes > 0 || label === 'terms')]).toEqual([label, true]);
  });

  it.each(['taps', 'windows4'] as const)('has the same kernels at every size, and by bands: %s', (form) => {
    const sources = (terms: readonly KernelTerm[], size: Size, rows?: number) =>
      new Set(commandsOf(terms, form, size, rows).map(({ code }) => code));
    const known = sources(every, [96, 160]);
    const missing = (found: ReadonlySet<string>) => [...found].filter((code) => !known.has(code)).length;
    expect(missing(sources(every, [192, 68]))).toBe(0);
    expect(missing(sources(every, [1024, 1024]))).toBe(0);
    // Of other layers, or of the image, whose 3 * 77 * 91 numbers are no multiple of 4, one kernel differs.
    expect(missing(sources(every, [77, 91]))).toBe(1);
    const tileable = every.filter(({ kind }) => kind !== 'statistic');
    const [few, many] = [sources(tileable, [96, 160], 32), sources(tileable, [640, 160], 160)];
    expect(few).toEqual(many);
  });

  it.each(['taps', 'windows2', 'windows4'] as const)('keeps to grids of 65 535: %s', (form) => {
    for (const { label, grid } of commandsOf(every, form, [4096, 4096]))
      expect([label, Math.max(...grid) <= 65535]).toEqual([label, true]);
  });

  it.each([
    ['taps', 2048, 2048],
    ['windows2', 2048, 2048],
    ['windows4', 2048, 2048],
    ['taps', 4096, 4096],
    ['taps', 4096, 1024],
  ] as const)('has no command that takes a slow GPU long: %s, %d pixels, bands of %d', (form, side, rows) => {
    const terms = rows < side ? every.filter(({ kind }) => kind !== 'statistic') : every;
    const flopOf = (commandFlop?: number) =>
      commandsOf(terms, form, [side, side], rows, commandFlop).map(({ cost }) => cost?.flop ?? Number.NaN);
    const [cut, uncut] = [flopOf(), flopOf(Number.POSITIVE_INFINITY)];
    expect(Math.max(...cut)).toBeLessThanOrEqual(2e10);
    expect(Math.max(...uncut)).toBeGreaterThan(3e10);
    expect(total(cut) / total(uncut)).toBeCloseTo(1, 12);
  });

  it('has no command of features alone that takes a slow GPU long', () => {
    const somewhere = { buffer: { size: 0 } as GPUBuffer };
    const weights = new Proxy({}, { get: () => () => somewhere }) as NetworkWeights;
    const { items, maps } = planFeatures(
      { ...network('taps'), weights },
      ['relu1_2', 'conv2_2', 'conv3_1'],
      [2048, 2048],
      somewhere,
    );
    const commands = items.flatMap((item) => ('code' in item ? [item] : []));
    expect(Math.max(...commands.map(({ cost }) => cost?.flop ?? 0))).toBeLessThanOrEqual(2e10);
    const scale = 2048 ** 2 / (height * width);
    expect(total(commands.map(({ cost }) => cost?.flop ?? 0)) / (scale * total(products))).toBeCloseTo(1, 12);
    expect([...maps].map(([layer, { map, relu }]) => [layer, map.label, relu])).toEqual([
      ['relu1_2', 'conv1_2', true],
      ['conv2_2', 'conv2_2', false],
      ['conv3_1', 'conv3_1', false],
    ]);
  });

  it('is by bands where maps are larger than a device binds: 1024 pixels in 128 MiB, not 2048 in 1 GiB', () => {
    const tilesAt = (side: number, largest: number) => {
      const parts = partsOfTerms([...styleLayers], paper, stages);
      const request = { parts, layers: styleLayers, room: Number.POSITIVE_INFINITY };
      return tilingOf({ ...network('taps'), weights: {} as never, steps, largest }, [side, side], request)
        .tiles;
    };
    expect(tilesAt(1024, 2 ** 27)).toBeGreaterThan(1);
    expect(tilesAt(2048, 2 ** 30)).toBe(1);
  });

  it('shares kernels of terms between layers', () => {
    const kernels = (pattern: RegExp) =>
      new Set(
        commandsOf(paper, 'taps', [height, width])
          .filter(({ label }) => pattern.test(label))
          .map(({ code }) => code),
      ).size;
    expect(kernels(/gram$/)).toBe(1);
    expect(kernels(/comparison$/)).toBe(1);
    expect(kernels(/slopes$/)).toBe(1);
  });
});
