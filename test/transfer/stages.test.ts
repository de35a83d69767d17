import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { anyPlatform } from '../../src/platform';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { readSettings, type Settings } from '../../src/transfer/options';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { ProgressChannel } from '../../src/transfer/progress-channel';
import { factsOf } from '../../src/transfer/run-facts';
import type { StageInputs } from '../../src/transfer/stage';
import { paintStages } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

const events: StyleTransferProgress[] = [];
let inputs: StageInputs;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const settings: Settings = readSettings(anyPlatform, { iterations: 3 }, undefined, undefined);
  const extractor = tinyExtractor();
  inputs = {
    settings,
    extractor,
    facts: factsOf(extractor),
    content: noise(24, 32, 1),
    styles: [
      { image: noise(18, 18, 2), weight: 0.75 },
      { image: noise(20, 16, 3), weight: 0.25 },
    ],
    progress: new ProgressChannel((event) => void events.push(event), undefined),
  };
});

describe('stages', () => {
  it('paint at each size in turn, from the image of the one before, and leave only the last', async () => {
    const start = noise(6, 8, 4);
    const painted = await expectNoLeak(async () => {
      const sizes = [
        { width: 16, height: 12 },
        { width: 32, height: 24 },
      ] as const;
      const { image, ...rest } = await paintStages(inputs, sizes, start);
      return { image, rest };
    });
    expect(painted.image.shape).toEqual([24, 32, 3]);
    expect(painted.rest).toMatchObject({ iterations: 6, stopReason: 'maxIterations' });
    expect(painted.rest.history).toHaveLength(8);
    expect(Object.keys(painted.rest.terms)).toEqual(['content', 'perceptual', 'style', 'style 2']);
    const starts = events.filter((event) => event.type === 'start');
    expect(starts.map(({ width, height }) => [width, height])).toEqual([
      [16, 12],
      [32, 24],
    ]);
    expect(start.isDisposed).toBe(false);
  });
});
