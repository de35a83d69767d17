import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DoneRecord, Job } from '../../src/batch/job';
import { type JobContext, jobContext } from '../../src/batch/job-context';
import { withId } from '../../src/batch/job-id';
import { previews } from '../../src/batch/previews';
import { type JobRunEvent, runJob } from '../../src/batch/run-job';
import { fileStore } from '../../src/batch/stores/file-store';
import { readSettingsRecord, saveStyle, styleTransfer, useWasm, writeImage } from '../../src/node';
import type { StepEvent } from '../../src/transfer/progress';
import { type StyleTargets, targetsInMemory } from '../../src/transfer/style-targets';
import { pictureFolder } from '../support/command-line-folder';

const path = pictureFolder();
const settings = { weights: 'embedded', size: 32, iterations: 2 } as const;
const jobOf = (changes: Partial<Omit<Job, 'id'>> = {}) =>
  withId({
    content: path('content.png'),
    style: path('style.jpg'),
    output: path('out/a.png'),
    settings,
    ...changes,
  });
const hashOf = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

let context: JobContext;
beforeEach(async () => {
  await useWasm();
  context = jobContext({ threads: 1 });
});
afterEach(() => context.dispose());

describe('a job', () => {
  test('is known by what it paints and how, in whatever order that is written', () => {
    const { id, ...job } = jobOf();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const turned = Object.fromEntries(Object.entries(job).reverse()) as typeof job;
    expect(withId({ ...turned, metrics: undefined }).id).toBe(id);
    expect(jobOf({ settings: { ...settings, seed: 1 } }).id).not.toBe(id);
    expect(jobOf({ style: [path('style.jpg')] }).id).not.toBe(id);
  });

  test('paints the picture that styleTransfer paints, with its record in the file', async () => {
    const job = jobOf();
    const record = await runJob(job, context);
    expect(record).toEqual({
      ...job,
      state: 'done',
      inputs: {
        [job.content]: await hashOf(job.content),
        [String(job.style)]: await hashOf(String(job.style)),
      },
      seconds: expect.any(Number),
      ended: expect.stringMatching(/^20\d\d-.*Z$/),
      library: expect.any(String),
      width: 32,
      height: 24,
      loss: expect.any(Number),
      iterations: 2,
      evaluations: expect.any(Number),
      weights: expect.any(String),
      embedded: true,
      engine: 'wasm',
      threads: 1,
      sha256: await hashOf(job.output),
      values: undefined,
    });
    // What a manifest gives back.
    expect(JSON.parse(JSON.stringify(record))).toEqual(JSON.parse(JSON.stringify({ ...record })));

    const alone = await styleTransfer(job.content, String(job.style), { ...settings, threads: 1 });
    await writeImage(alone.image, path('alone.png'), { settings: alone.settings });
    alone.dispose();
    expect(await hashOf(path('alone.png'))).toBe((record as DoneRecord).sha256);
    expect(await readSettingsRecord(job.output)).toEqual(alone.settings);
  });

  test('refuses a file that is not the one it was made for, before it paints', async () => {
    const { id: _, ...job } = jobOf();
    const inputs = { [job.content]: await hashOf(job.content), [String(job.style)]: '0'.repeat(64) };
    const record = await runJob(withId({ ...job, inputs }), context);
    expect(record).toMatchObject({
      state: 'failed',
      error: {
        name: 'ImageError',
        code: 'FILE_CHANGED',
        message: expect.stringMatching(/^style .*style\.jpg/),
      },
    });
    await expect(readFile(job.output)).rejects.toThrow('ENOENT');
    inputs[String(job.style)] = await hashOf(String(job.style));
    expect(await runJob(withId({ ...job, inputs }), context)).toMatchObject({ state: 'done', inputs });
  });

  test('writes previews, which change neither its name nor the picture', async () => {
    const plain = jobOf();
    const seen: (string | undefined)[] = [];
    const preview = { output: path('out/preview.jpg'), seconds: 0 };
    const job = jobOf({ preview, output: path('out/b.png') });
    expect(jobOf({ preview }).id).toBe(plain.id);
    const onProgress = async (event: JobRunEvent) => {
      seen.push(event.preview);
      if (event.type !== 'step') return;
      // The picture is written while the run goes on.
      while (!existsSync(preview.output)) await new Promise<void>((resolve) => setTimeout(resolve, 10));
    };
    await runJob(job, context, { onProgress });
    await runJob(plain, context);
    expect(seen).toContain(preview.output);
    expect((await readFile(preview.output)).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    expect(await hashOf(job.output)).toBe(await hashOf(plain.output));
  });

  test('warns of previews that cannot be written, and paints', async () => {
    const warnings: string[] = [];
    const job = jobOf({ preview: { output: path('content.png/preview.jpg'), seconds: 0 } });
    const record = await runJob(job, context, {
      onProgress(event) {
        if (event.type === 'warning') warnings.push(event.code);
      },
    });
    expect(record.state).toBe('done');
    expect(warnings).toContain('NOT_WRITABLE');
  });

  test('has written its last preview when it ends', async () => {
    const preview = { output: path('out/preview.jpg'), seconds: 0 };
    let release = () => {};
    const put = vi.spyOn(fileStore, 'write').mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const ended = vi.fn();
    const record = runJob(jobOf({ preview, settings: { ...settings, iterations: 1 } }), context).then(ended);
    while (put.mock.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Neither the record nor the picture is there before.
    expect(put).toHaveBeenCalledTimes(1);
    expect(ended).not.toHaveBeenCalled();
    release();
    await record;
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ state: 'done' }));
    vi.restoreAllMocks();
  });

  test('warns of a preview that cannot be made', async () => {
    const image = tf.zeros<tf.Rank.R3>([4, 4, 3]);
    image.dispose();
    const shown = previews({ output: path('preview.jpg'), seconds: 0 }, undefined);
    const event = { type: 'step', image: () => image } as unknown as StepEvent;
    expect(await shown.at(event)).toMatchObject({ warning: { type: 'warning' } });
    expect(await shown.end()).toEqual({});
  });

  test('blends styles by weight, takes style files, starts and masks, and measures what it painted', async () => {
    await saveStyle(path('style.safetensors'), path('content.png'), { weights: 'embedded', size: 32 });
    const record = await runJob(
      jobOf({
        style: [path('style.jpg'), path('style.safetensors')],
        styleWeights: [1, 2],
        settings: { ...settings, init: path('style.jpg'), scales: 1 },
        metrics: ['ssim', 'contentDistance'],
      }),
      context,
    );
    expect(record).toMatchObject({ state: 'done', values: { content: { ssim: expect.any(Number) } } });
    expect(Object.keys(record.inputs)).toHaveLength(3);

    const masked = await runJob(
      jobOf({ settings: { ...settings, regions: [{ content: path('content.png') }] } }),
      context,
    );
    expect(masked.state).toBe('done');
  });

  test('holds the network, and nothing else, between jobs', async () => {
    await runJob(jobOf(), context);
    const before = tf.memory().numTensors;
    await runJob(jobOf({ settings: { ...settings, seed: 2 } }), context);
    await runJob(jobOf({ content: path('none.png') }), context);
    expect(tf.memory().numTensors).toBe(before);
    context.dispose();
    const alone = jobContext({ threads: 1 });
    await runJob(jobOf(), alone);
    alone.dispose();
    alone.dispose();
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  });
});

describe('a job that fails is a record', () => {
  test.each([
    ['a picture that is not there', () => ({ content: path('none.png') }), 'ImageError', 'FILE_NOT_FOUND'],
    ['a file that is no picture', () => ({ style: path('text.jpg') }), 'ImageError', 'NOT_AN_IMAGE'],
    ['a setting out of range', () => ({ settings: { size: 3 } }), 'InvalidArgumentError', 'OUT_OF_RANGE'],
    ['an output that is a folder', () => ({ output: path('folder.png') }), 'ImageError', 'NOT_WRITABLE'],
    ['an output of no format', () => ({ output: path('a.txt') }), 'InvalidArgumentError', 'UNKNOWN_FORMAT'],
    [
      'weights that are not there',
      () => ({ settings: { ...settings, weights: path('none') } }),
      'WeightsError',
      'FILE_NOT_FOUND',
    ],
  ])('%s', async (_, changes, name, code) => {
    await writeFile(path('text.jpg'), 'no picture');
    await mkdir(path('folder.png'));
    const job = jobOf(changes() as Partial<Job>);
    const record = await runJob(job, context);
    expect(record).toMatchObject({
      ...job,
      state: 'failed',
      error: { name, code, message: expect.any(String) },
    });
  });

  test('but an abort and an error of a listener are thrown', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(runJob(jobOf(), context, { signal })).rejects.toBe(reason);
    const failure = new Error('of the listener');
    const onProgress = () => {
      throw failure;
    };
    await expect(runJob(jobOf(), context, { onProgress })).rejects.toBe(failure);
    const onPlanned = () => Promise.reject(failure);
    await expect(runJob(jobOf(), { ...context, onPlanned })).rejects.toBe(failure);
  });
});

test('the targets of a style are computed once for all contents of a context', async () => {
  let computed = 0;
  const held = targetsInMemory();
  const targets: StyleTargets = {
    get: (key, compute) =>
      held.get(key, () => {
        computed++;
        return compute();
      }),
  };
  const watched = jobContext({ threads: 1, targets });
  await runJob(jobOf(), watched);
  await runJob(jobOf({ content: path('style.jpg') }), watched);
  expect(computed).toBe(1);
  await runJob(jobOf({ style: path('content.png') }), watched);
  expect(computed).toBe(2);
  watched.dispose();
});

describe('targets in memory', () => {
  const numbers = { conv1_1: new Float32Array(1) };

  test('are computed by one of those who ask at once, and anew after a failure', async () => {
    const targets = targetsInMemory();
    let calls = 0;
    const compute = async () => {
      calls++;
      if (calls === 1) throw new Error('the first');
      return numbers;
    };
    const first = [targets.get('a', compute), targets.get('a', compute)];
    expect((await Promise.allSettled(first)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await targets.get('a', compute)).toBe(numbers);
    expect(await targets.get('a', compute)).toBe(numbers);
    expect(calls).toBe(2);
  });

  test('make room for others, those first that were not asked for longest', async () => {
    const targets = targetsInMemory(2);
    const computed: string[] = [];
    const ask = (key: string) =>
      targets.get(key, async () => {
        computed.push(key);
        return numbers;
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(key);
    expect(computed).toEqual(['a', 'b', 'c', 'b']);
  });
});
