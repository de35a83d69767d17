import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Experiment, runExperiment } from '../../scripts/paper/experiment';
import { measureRuns } from '../../scripts/paper/measure';
import { ExperimentProgress } from '../../scripts/paper/progress';
import { runFiles } from '../../scripts/paper/run-record';
import { systems } from '../../scripts/paper/systems';
import { fromModel } from '../../src/generators';
import { metricNames } from '../../src/metrics';
import { readImage } from '../../src/node/read-image';
import { tinyExtractor } from '../../src/testing';
import { referenceFile } from '../support/reference-image';

const extractor = () => tinyExtractor({ layers: ['conv3_1'] });
const pairs = [
  { content: referenceFile('content-96x64.png'), style: referenceFile('style-80x72.png') },
  { content: referenceFile('image-96x64.png'), style: referenceFile('style-80x72.png') },
];
const chosen = systems.filter((system) => system.id === 'li2021' || system.id === 'li2021-baseline');

let folder: string;
let lines: string[];
let network: ReturnType<typeof extractor>;

beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'paper-'));
  lines = [];
  network = extractor();
});

afterEach(async () => {
  network.dispose();
  await rm(folder, { recursive: true });
});

/** Progress into {@link lines}; `onLine` may interrupt. */
function experiment(settings: Partial<Experiment> = {}, onLine: () => void = () => {}): Experiment {
  const write = (text: string) => {
    lines.push(text);
    onLine();
    return true;
  };
  return {
    pairs,
    systems: chosen,
    size: 32,
    iterations: 2,
    extractorFor: async () => network,
    feedForward: {
      fingerprint: async () => 'negative',
      trained: async () => ({ fingerprint: 'negative', open: negative, steps: 3, seconds: 60 }),
    },
    folder,
    signal: new AbortController().signal,
    progress: new ExperimentProgress({ isTTY: false, write } as NodeJS.WriteStream),
    ...settings,
  };
}

/** 1 - x. */
const negative = fromModel({ predict: (input) => tf.sub(1, input) });

const kept = () => lines.filter((line) => line.includes('kept from an earlier call')).length;

describe('runExperiment', () => {
  it('runs every system on every pair and keeps a record and a picture of each', async () => {
    const records = await runExperiment(experiment());
    expect(records.map(({ content, system }) => `${content} ${system}`)).toEqual([
      'content-96x64 li2021-baseline',
      'content-96x64 li2021',
      'image-96x64 li2021-baseline',
      'image-96x64 li2021',
    ]);
    expect(await readdir(folder)).toHaveLength(8);
    for (const { history, loss, iterations } of records) {
      expect(iterations).toBe(2);
      expect(history[0].evaluations).toBe(1);
      expect(history.at(-1)?.loss).toBe(loss);
      expect(loss).toBeLessThan(history[0].loss as number);
    }
  });

  it('goes on where it was interrupted', async () => {
    const interruption = new AbortController();
    const stopAtSecond = () => {
      if (lines.length === 2) interruption.abort();
    };
    await expect(runExperiment(experiment({ signal: interruption.signal }, stopAtSecond))).rejects.toThrow(
      /abort/i,
    );
    lines = [];
    expect(await runExperiment(experiment())).toHaveLength(4);
    expect(kept()).toBe(2);
  });

  it('repeats what had other settings, another record or none that can be read', async () => {
    const [first] = await runExperiment(experiment());
    lines = [];
    await runExperiment(experiment({ iterations: 1 }));
    expect(kept()).toBe(0);
    await writeFile(runFiles(folder, first).record, '{ "fingerprint": ');
    await runExperiment(experiment({ iterations: 1 }));
    expect(kept()).toBe(3);
  });

  it('paints by networks that are trained for each style, and keeps their pictures', async () => {
    const instant = systems.filter(({ id }) => id === 'ulyanov');
    const records = await runExperiment(experiment({ systems: instant }));
    expect(records).toHaveLength(2);
    for (const record of records)
      expect(record).toMatchObject({ system: 'ulyanov', history: [], training: { steps: 3, seconds: 60 } });
    const content = await readImage(pairs[0].content, { size: 32 });
    const painted = await readImage(runFiles(folder, records[0]).picture);
    const difference = tf.max(tf.abs(tf.sub(tf.sub(1, content), painted)));
    expect((await difference.data())[0]).toBeLessThan(0.01);
    tf.dispose([content, painted, difference]);
    lines = [];
    await runExperiment(experiment({ systems: instant }));
    expect(kept()).toBe(2);
  });

  it('leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const records = await runExperiment(experiment());
    await measureRuns(records, pairs, { folder, size: 32, extractor: network });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('measureRuns', () => {
  it('has every metric of each picture against style and content', async () => {
    const records = await runExperiment(experiment());
    const measured = await measureRuns(records, pairs, { folder, size: 32, extractor: network });
    expect(measured.map(({ pair, system }) => [pair, system])).toEqual(
      records.map(({ content, style, system }) => [`${content} / ${style}`, system]),
    );
    for (const { style, content } of measured) {
      for (const metric of metricNames) expect(Number.isFinite(style[metric] + content[metric])).toBe(true);
      expect(content.ssim).toBeGreaterThan(style.ssim);
    }
  });
});
