import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InvalidArgumentError, type PixelArray, styleTransfer } from '../../src';
import { convolutionsUpTo } from '../../src/features/vgg19/layers';
import { encodeGenerator, stylize } from '../../src/generators';
import type { WorkerProgress, WorkerStyleTransferOptions } from '../../src/worker';
import { FileServer } from '../support/file-server';
import { negative } from '../support/generators';
import { modelFiles } from '../support/small-model';
import { workerInProcess } from '../support/worker-in-process';

/** Noise of 8 bits. */
function noise(width: number, height: number, seed: number): PixelArray {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
  return { data, width, height, channels: 3 };
}

const [content, style] = [noise(24, 18, 1), noise(20, 20, 2)];
const quick = {
  weights: 'embedded' as const,
  iterations: 4,
  threads: 1,
} satisfies WorkerStyleTransferOptions;

const running: ReturnType<typeof workerInProcess>[] = [];
function start() {
  const made = workerInProcess();
  running.push(made);
  return made;
}
afterEach(() => {
  for (const { worker } of running.splice(0)) worker.terminate();
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const inverted = negative();

describe('stylize in a worker', () => {
  it('paints what it paints on this thread, and keeps the generator for the next picture', async () => {
    const { worker, sent } = start();
    const here = await stylize(content, inverted, { strength: 0.5 });
    const events: string[] = [];
    const onProgress = ({ type }: { readonly type: string }) => void events.push(type);
    const there = await worker.stylize(content, inverted, { strength: 0.5, onProgress });
    expect(there.image).toMatchObject({ width: 24, height: 18, channels: 3 });
    expect(there.image.data).toEqual(await here.image.data());
    expect(there.bitmap).toMatchObject({ width: 24, height: 18 });
    expect(events).toEqual(['start']);
    here.dispose();
    const whole = await worker.stylize(content, inverted);
    expect(whole.image.data[0]).toBeCloseTo(1 - content.data[0] / 255, 5);
    const keys = sent.flatMap((message) => (message.type === 'stylize' ? [message.key] : []));
    expect(new Set(keys).size).toBe(1);
  });

  it('loads a file by its URL or from its bytes, and starts a run from its picture', async () => {
    const bytes = encodeGenerator(inverted);
    const server = await new FileServer(new Map([['negative.safetensors', bytes]])).start();
    const { worker } = start();
    try {
      const expected = (await worker.stylize(content, inverted)).image.data;
      const url = `${server.url}negative.safetensors`;
      for (const generator of [url, new URL(url), bytes, url])
        expect((await worker.stylize(content, generator)).image.data).toEqual(expected);
    } finally {
      await server.stop();
    }
    const run = await worker.styleTransfer(content, style, 1, 1e4, { ...quick, init: inverted });
    const here = await styleTransfer(content, style, 1, 1e4, { ...quick, init: inverted });
    expect(run.image.data).toEqual(await here.image.data());
    here.dispose();
  });

  it('refuses what is no generator, ends by its signal, and takes turns with runs', async () => {
    const { worker } = start();
    const wrong = worker.stylize(content, 5 as never);
    await expect(wrong).rejects.toMatchObject({ code: 'WRONG_TYPE', option: 'generator' });
    const half = worker.stylize(content, { kind: 'generator' } as never);
    await expect(half).rejects.toMatchObject({ name: 'InvalidArgumentError', option: 'generator' });
    const unknown = worker.stylize(content, inverted, { size: 0 });
    await expect(unknown).rejects.toMatchObject({ code: 'OUT_OF_RANGE', option: 'size' });
    const reason = new Error('enough');
    const aborted = worker.stylize(content, inverted, { signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
    const run = worker.styleTransfer(content, style, 1, 1e4, quick);
    const picture = worker.stylize(content, inverted);
    expect(await Promise.race([run.then(() => 'run'), picture.then(() => 'picture')])).toBe('run');
    await picture;
  });
});

describe('a run in a worker', () => {
  it('gives the image that the same run gives on this thread, to the bit', async () => {
    const here = await styleTransfer(content, style, 1, 1e4, quick);
    const { image, history, loss, settings } = await start().worker.styleTransfer(
      content,
      style,
      1,
      1e4,
      quick,
    );
    expect(image).toMatchObject({ width: 24, height: 18, channels: 3 });
    expect(image.data).toEqual(await here.image.data());
    expect(loss).toBe(here.loss);
    expect(history.map((entry) => entry.loss)).toEqual(here.history.map((entry) => entry.loss));
    expect(settings).toEqual(here.settings);
    here.dispose();
  });

  it('paints regions by masks, as this thread does', async () => {
    const mask = (inside: (x: number) => boolean): PixelArray => ({
      data: Uint8Array.from({ length: 24 * 18 * 3 }, (_, i) => (inside(Math.floor(i / 3) % 24) ? 255 : 0)),
      width: 24,
      height: 18,
      channels: 3,
    });
    const regions = [
      { content: mask((x) => x < 12) },
      { content: mask((x) => x >= 12), styleImage: noise(16, 22, 3), weight: 2 },
    ];
    const here = await styleTransfer(content, style, 1, 1e4, { ...quick, regions });
    const there = await start().worker.styleTransfer(content, style, 1, 1e4, { ...quick, regions });
    expect(there.image.data).toEqual(await here.image.data());
    const plain = await start().worker.styleTransfer(content, style, 1, 1e4, quick);
    expect(there.image.data).not.toEqual(plain.image.data);
    here.dispose();
  });

  it('takes alpha and beta among the options too', async () => {
    const { worker } = start();
    const [weighed, among] = [
      await worker.styleTransfer(content, style, 1, 1e4, quick),
      await worker.styleTransfer(content, style, { ...quick, alpha: 1, beta: 1e4 }),
    ];
    expect(among.image.data).toEqual(weighed.image.data);
  });

  it('leaves the pixels of the caller as they are', async () => {
    const before = Uint8Array.from(content.data);
    await start().worker.styleTransfer(content, [{ image: style, weight: 2 }], 1, 1e4, quick);
    expect(content.data).toEqual(before);
    expect(style.data.byteLength).toBe(20 * 20 * 3);
  });

  it('sends the events of the library, and previews after their steps', async () => {
    const events: WorkerProgress[] = [];
    const { history } = await start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      previewInterval: 0,
      onProgress: (event) => void events.push(event),
    });
    expect(events.map(({ type }) => type)).toEqual(['start', ...history.flatMap(() => ['step', 'preview'])]);
    const last = events.at(-1);
    expect(last).toMatchObject({
      type: 'preview',
      iteration: history.at(-1)?.iteration,
      loss: history.at(-1)?.loss,
      bitmap: { width: 24, height: 18 },
    });
  });

  it('previews the start alone where the interval is longer than the run, and nothing without one', async () => {
    const { worker } = start();
    for (const [previewInterval, expected] of [
      [1e9, 1],
      [undefined, 0],
    ] as const) {
      let previews = 0;
      await worker.styleTransfer(content, style, 1, 1e4, {
        ...quick,
        previewInterval,
        onProgress: ({ type }) => {
          if (type === 'preview') previews++;
        },
      });
      expect(previews).toBe(expected);
    }
  });

  it('is at most one event ahead of a listener that takes its time', async () => {
    const { worker, received } = start();
    let handled = 0;
    await worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      onProgress: async () => {
        const ahead = received.filter(({ type }) => type === 'event').length - handled;
        expect(ahead).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        handled++;
      },
    });
    expect(handled).toBeGreaterThan(3);
  });

  it('ends with the error of its listener', async () => {
    const failure = new Error('no room on the page');
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      iterations: 1000,
      onProgress: ({ type }) => {
        if (type === 'step') throw failure;
      },
    });
    await expect(run).rejects.toBe(failure);
  });

  it('rejects with errors of the same class, code and details', async () => {
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      preset: 'gatis2016' as never,
    });
    const error = await run.catch((found: unknown) => found);
    const here = await styleTransfer(content, style, 1, 1e4, { preset: 'gatis2016' as never }).catch(
      (found: unknown) => found,
    );
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect({ ...(error as InvalidArgumentError) }).toEqual({ ...(here as InvalidArgumentError) });
    expect((error as Error).message).toBe((here as Error).message);
  });

  it('refuses a function among the data by its name, before anything is sent', async () => {
    const { worker, sent } = start();
    await worker.ready;
    const run = worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      optimizer: { name: () => 1 } as never,
    });
    await expect(run).rejects.toMatchObject({ code: 'WRONG_TYPE', option: 'optimizer.name' });
    expect(sent.map(({ type }) => type)).toEqual(['start']);
  });

  it('takes an optimiser as data', async () => {
    const { settings } = await start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      optimizer: { name: 'adam', learningRate: 0.05 },
    });
    expect(settings.options.optimizer).toMatchObject({ name: 'adam', learningRate: 0.05 });
  });

  it('leaves no tensor behind', async () => {
    const { worker } = start();
    const before = tf.memory().numTensors;
    await worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      previewInterval: 0,
      onProgress: () => {},
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('abort', () => {
  it('rejects with the reason of the signal, after the best image so far', async () => {
    const controller = new AbortController();
    const reason = { why: 'enough' };
    let interrupted: WorkerProgress | undefined;
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      iterations: 10_000,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === 'step' && event.iteration === 2) controller.abort(reason);
        if (event.type === 'interrupted') interrupted = event;
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(interrupted).toMatchObject({ reason, image: { width: 24, height: 18, channels: 3 } });
    expect((interrupted as { image: PixelArray }).image.data).toHaveLength(24 * 18 * 3);
  });

  it('ends a run that waits for its turn, and the one before goes on', async () => {
    const { worker, sent } = start();
    const controller = new AbortController();
    const first = worker.styleTransfer(content, style, 1, 1e4, quick);
    const second = worker.styleTransfer(content, style, 1, 1e4, { ...quick, signal: controller.signal });
    controller.abort('not needed');
    await expect(second).rejects.toBe('not needed');
    await first;
    expect(sent.filter(({ type }) => type === 'run')).toHaveLength(1);
  });
});

describe('pause', () => {
  it('holds the run at its next step until resume', async () => {
    const events: string[] = [];
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      onProgress: ({ type }) => {
        events.push(type);
        if (type === 'step' && !events.includes('paused')) run.pause();
        if (type === 'paused') {
          expect(run.paused).toBe(true);
          setTimeout(() => {
            events.push('waited');
            run.resume();
          }, 100);
        }
      },
    });
    const { history } = await run;
    const paused = events.indexOf('paused');
    expect(events.slice(paused, paused + 3)).toEqual(['paused', 'waited', 'resumed']);
    expect(events.filter((type) => type === 'step')).toHaveLength(history.length);
    expect(run.paused).toBe(false);
  });

  it('holds a run that has not begun', async () => {
    const events: string[] = [];
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      onProgress: ({ type }) => {
        events.push(type);
        if (type === 'paused') run.resume();
      },
    });
    run.pause();
    await run;
    expect(events.slice(0, 4)).toEqual(['start', 'step', 'paused', 'resumed']);
  });

  it('ends at an abort', async () => {
    const controller = new AbortController();
    const run = start().worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      signal: controller.signal,
      onProgress: ({ type }) => {
        if (type === 'paused') controller.abort('while held');
      },
    });
    run.pause();
    await expect(run).rejects.toBe('while held');
  });
});

describe('a worker', () => {
  it('does one run after the other', async () => {
    const { worker, sent, received } = start();
    await Promise.all([1, 2].map((beta) => worker.styleTransfer(content, style, 1, beta, quick)));
    const order = received
      .filter(({ type }) => type === 'result')
      .map((message) => 'run' in message && message.run);
    expect(order).toEqual([1, 2]);
    expect(sent.map(({ type }) => type)).toEqual(['start', 'run', 'run']);
  });

  it('that is lost ends its run with a code, after the last preview as an image', async () => {
    const { worker, lose } = start();
    let interrupted: WorkerProgress | undefined;
    const run = worker.styleTransfer(content, style, 1, 1e4, {
      ...quick,
      iterations: 10_000,
      previewInterval: 0,
      onProgress: (event) => {
        if (event.type === 'preview' && event.iteration === 1) lose('ended');
        if (event.type === 'interrupted') interrupted = event;
      },
    });
    await expect(run).rejects.toMatchObject({
      name: 'ComputationError',
      code: 'WORKER_LOST',
      value: 'ended',
    });
    expect(interrupted).toMatchObject({
      reason: { code: 'WORKER_LOST' },
      image: { width: 24, height: 18, channels: 4 },
    });
    expect((interrupted as { image: PixelArray }).image.data).toHaveLength(24 * 18 * 4);
    await expect(worker.styleTransfer(content, style, 1, 1e4, quick)).rejects.toMatchObject({
      code: 'WORKER_LOST',
    });
  });

  it('that is terminated ends its runs, also those that wait', async () => {
    const { worker } = start();
    const runs = [1, 2].map((beta) => worker.styleTransfer(content, style, 1, beta, quick));
    await worker.ready;
    worker.terminate();
    for (const run of runs) await expect(run).rejects.toMatchObject({ code: 'WORKER_LOST' });
    worker.terminate();
  });

  it('fetches weights beside a run, with progress, and is heard when it is told to stop', async () => {
    const layers = convolutionsUpTo('conv3_1');
    const server = await new FileServer(modelFiles(layers, () => 2 ** 20)).start();
    const { worker } = start();
    const events: WorkerProgress[] = [];
    const weights = `${server.url}model.json`;
    const run = worker.styleTransfer(content, style, 1, 1e4, quick);
    await worker.fetchWeights({ weights, onProgress: (event) => void events.push(event) });
    await run;
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['weights']));
    const stop = new AbortController();
    server.interfere = () => {
      stop.abort('no longer');
      return false;
    };
    await expect(worker.fetchWeights({ weights, signal: stop.signal })).rejects.toBe('no longer');
    await expect(worker.fetchWeights({ preset: 'none' as never })).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
      option: 'preset',
    });
    await server.stop();
  });

  it('whose backend does not start says so by ready and by its runs', async () => {
    const { worker } = workerInProcess({ backend: 'webgpu' });
    await expect(worker.ready).rejects.toMatchObject({ name: 'EnvironmentError', code: 'NO_BACKEND' });
    await expect(worker.styleTransfer(content, style)).rejects.toMatchObject({ code: 'NO_BACKEND' });
  });

  it.each([
    [{ backend: 'webg1' as never }, { code: 'UNKNOWN_NAME', option: 'backend' }],
    [{ threads: 2 } as never, { code: 'UNKNOWN_OPTION', option: 'threads' }],
    [{ startLimit: 0 }, { code: 'OUT_OF_RANGE', option: 'startLimit' }],
    [
      { backend: 'cpu' as const, wasmPaths: '/wasm/' },
      { code: 'CONFLICTING_OPTIONS', option: 'wasmPaths' },
    ],
  ])('refuses the options %o', (options, expected) => {
    expect(() => workerInProcess(options)).toThrow(expect.objectContaining(expected));
  });
});
