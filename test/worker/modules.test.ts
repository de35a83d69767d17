import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeatureExtractor } from '../../src/features/extractor';
import { Modules } from '../../src/worker/program/modules';

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

/** Counts how often it has made an extractor. */
const extractorModule = moduleOf(`
  let made = 0;
  export default ({ tf, losses, loadVgg19 }) => ({
    name: [typeof tf.tensor, typeof losses.styleLoss, typeof loadVgg19, ++made].join(),
    layers: ['image'], extract() {}, linearize() {}, dispose() {},
  });
`);

describe('modules of options', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('make the loss of a run from its targets and the library', async () => {
    const source =
      'export default (targets, { tf, losses }) => losses.weighted(targets.weight, losses.totalVariationLoss())';
    const { loss, size } = (await new Modules().optionsOf({ loss: moduleOf(source), size: 64 })) as never as {
      size: number;
      loss: (targets: object) => { layers: readonly string[]; dispose(): void };
    };
    expect(size).toBe(64);
    const made = loss({ weight: 2 });
    expect(made.layers).toEqual(['image']);
    made.dispose();
  });

  it('make an extractor once, for all runs with their URL', async () => {
    const modules = new Modules();
    const load = async () =>
      ((await modules.optionsOf({ extractor: extractorModule })) as { extractor: FeatureExtractor })
        .extractor;
    const first = await load();
    expect(first.name).toBe('function,function,function,1');
    expect(await load()).toBe(first);
  });

  it.each([
    ['loss', moduleOf('export const loss = 1')],
    ['extractor', moduleOf('throw new Error("broken")')],
    ['loss', 'file:///nowhere/loss.js'],
  ])('that give no function are refused: %s %s', async (option, url) => {
    await expect(new Modules().optionsOf({ [option]: url })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      code: 'MODULE_FAILED',
      option,
    });
  });
});
