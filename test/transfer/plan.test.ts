import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineExtractor, MemoryPlan, MemoryRequest } from '../../src/engines';
import { EnvironmentError } from '../../src/errors';
import { adam, lbfgs } from '../../src/optim';
import { anyPlatform } from '../../src/platform';
import { tinyExtractor } from '../../src/testing';
import { readSettings, type StyleTransferOptions } from '../../src/transfer/options';
import { planStages } from '../../src/transfer/plan';
import type { StartEvent, StyleTransferProgress } from '../../src/transfer/progress';
import { scheduleOf } from '../../src/transfer/schedule';
import { styleTransfer, styleTransferOn } from '../../src/transfer/style-transfer';
import { noise } from '../support/images';
import '../support/backends';

let tiny: EngineExtractor;
beforeAll(async () => {
  await tf.setBackend('cpu');
  tiny = tinyExtractor();
});

/**
 * An engine whose maps take 1000 bytes a pixel, divided by the number of tiles, of which there are 8 at most; it needs
 * at least 1 MB.
 */
function engine(change: Partial<EngineExtractor> = {}): EngineExtractor {
  return {
    ...tiny,
    plan({ size: [height, width], room = Infinity }: MemoryRequest): MemoryPlan {
      const tiles = [1, 2, 4, 8].find((count) => 1e6 + (1000 * height * width) / count <= room);
      if (tiles === undefined) throw new EnvironmentError('OUT_OF_MEMORY', 'The engine is full.', {});
      const maps = 1e6 + (1000 * height * width) / tiles;
      return { bytes: maps, maps, targets: 0, tiles, work: 1 + 0.1 * Math.log2(tiles) };
    },
    ...change,
  };
}

const style = { width: 100, height: 100 };

/** The plans of a run at 1000 x 1000 pixels. */
function plans(options: StyleTransferOptions, extractor = engine()) {
  const settings = readSettings(
    anyPlatform,
    { size: 1000, scales: 1, ...options } as StyleTransferOptions,
    undefined,
    undefined,
  );
  const stages = scheduleOf(settings, { width: 2000, height: 2000 });
  return planStages(settings, extractor, stages, style, settings.memory ?? Infinity);
}

const optimizer = lbfgs<tf.Tensor3D>({ memory: 20 });

describe('the plan of a run', () => {
  it('adds up maps, images, vectors and history, without a limit whole and with every pair', () => {
    const [{ plan, room }] = plans({ optimizer });
    expect(plan).toMatchObject({ maps: 1e6 + 1e9, targets: 0, tiles: 1, pairs: 20 });
    // 20 pairs of two float32 vectors of 3 million components.
    expect(plan.history).toBe(20 * 2 * 4 * 3e6);
    expect(plan.bytes).toBe(plan.maps + plan.images + plan.vectors + plan.history);
    expect(room).toBeUndefined();
  });

  it('gives smaller stages no more of the engine than the last one, because its memory does not shrink', () => {
    const scales = [{ size: 500 }, { size: 1000 }];
    const free = plans({ size: 1000, scales, optimizer });
    expect(free.map(({ plan }) => plan.tiles)).toEqual([1, 1]);
    const limit = free[1].plan.bytes + 200e6 - 800e6;
    const [first, last] = plans({ size: 1000, scales, optimizer, memory: limit });
    expect(last.plan.tiles).toBeGreaterThan(1);
    expect(first.room).toBeLessThanOrEqual(last.room ?? 0);
    expect(first.plan.maps + last.plan.vectors + last.plan.history + last.plan.images).toBeLessThan(limit);
  });

  it('keeps to a limit by fewer pairs and tiles, whichever takes less time', () => {
    const long = lbfgs<tf.Tensor3D>({ memory: 50 });
    const [{ plan: whole }] = plans({ optimizer: long });
    const pair = 2 * 4 * 3e6;
    /** The plan within a limit that is `less` bytes below what the whole takes, with the program's own memory. */
    const within = (less: number) => {
      const [{ plan, method }] = plans({ optimizer: long, memory: whole.bytes + 200e6 - less });
      expect(method.history?.(false).pairs).toBe(plan.pairs);
      expect(plan.bytes).toBeLessThanOrEqual(whole.bytes - less);
      return [plan.pairs, plan.tiles];
    };
    expect(within(0)).toEqual([50, 1]);
    // 45 pairs take 1.11 of the time, two tiles with 50 pairs 1.1 * 1.1.
    expect(within(1)).toEqual([45, 1]);
    // 25 pairs take 1.2, less than two tiles; 14 take 1.36.
    expect(within(25 * pair)).toEqual([25, 1]);
    // Two tiles save 500 MB, 20 pairs: with 32 they take 1.27, four with 50 take 1.32.
    expect(within(35 * pair)).toEqual([32, 2]);
    // Eight tiles save 875 MB.
    expect(within(875e6 + 45 * pair)).toEqual([5, 8]);
    expect(() => within(875e6 + 45 * pair + 1)).toThrow('does not fit');
  });

  it('has no more pairs than iterations', () => {
    expect(plans({ optimizer, iterations: 7 })[0].plan.pairs).toBe(7);
    expect(plans({ optimizer, iterations: 70 })[0].plan.pairs).toBe(20);
  });

  it('gives the engine what is left as its room', () => {
    const memory = 1.2e9;
    const [{ plan, room }] = plans({ optimizer, memory });
    expect(room).toBe(memory - 200e6 - plan.images - plan.vectors - plan.history);
  });

  it('keeps the vectors to the memory that an engine has for them, with a history in 8 bits', () => {
    const vectorRoom = 4e9;
    const [{ plan }] = plans(
      { optimizer: lbfgs({ memory: 1000 }), iterations: 1000 },
      engine({ vectorRoom }),
    );
    expect(plan.vectors + plan.history).toBeLessThanOrEqual(vectorRoom);
    expect(plan.pairs).toBeGreaterThan(100);
    expect(plan.pairs).toBeLessThan(1000);
  });

  it('of a method without history has no pairs', () => {
    expect(plans({ optimizer: adam() })[0].plan).toMatchObject({ pairs: 0, history: 0 });
  });

  it('has every stage, the style image in proportion', () => {
    const scales = [{ size: 250 }, { size: 1000 }];
    const asked: MemoryRequest[] = [];
    const plan = (request: MemoryRequest) => {
      asked.push(request);
      return engine().plan?.(request) as MemoryPlan;
    };
    const [small, large] = plans({ optimizer, scales }, engine({ plan }));
    expect(small.plan.vectors).toBe(large.plan.vectors / 16);
    const sizes = asked.map(({ size, style }) => [...size, ...(style?.size ?? [])]);
    expect(sizes).toContainEqual([250, 250, 25, 25]);
    expect(sizes).toContainEqual([1000, 1000, 100, 100]);
  });

  it('that fits in no way is refused with the size that would fit', () => {
    let refused: unknown;
    try {
      plans({ optimizer, memory: 500e6 });
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({
      code: 'OUT_OF_MEMORY',
      option: 'size',
      value: 1000,
      message: expect.stringMatching(
        /^Painting 1000 x 1000 pixels does not fit into 0\.500 GB of memory; accepted/,
      ),
    });
    const { accepted } = refused as { accepted: string };
    const size = Number(/^a size of at most (\d+)$/.exec(accepted)?.[1]);
    expect(plans({ optimizer, memory: 500e6, size })[0].plan.tiles).toBe(8);
    expect(() => plans({ optimizer, memory: 500e6, size: size + 1 })).toThrow('does not fit');
  });

  it('says so where no size fits', () => {
    expect(() => plans({ optimizer, memory: 200e6 })).toThrow(/accepted: a higher limit/);
  });

  it('names the reason where tiles would be needed and cannot compute the loss', () => {
    const reason = new EnvironmentError('NOT_TILEABLE', 'mine', {});
    const plan = ({ tileable }: MemoryRequest) => {
      expect(tileable).toBe(false);
      throw reason;
    };
    const loss = {
      name: 'mine',
      layers: ['conv1_1' as const],
      compute: () => tf.scalar(0),
    };
    expect(() => plans({ loss }, engine({ plan }))).toThrow(reason);
  });
});

describe('memory', () => {
  it('is refused before an image is decoded', async () => {
    const decoded: string[] = [];
    const transfer = styleTransferOn({
      ...anyPlatform,
      async open(...args) {
        const opened = await anyPlatform.open(...args);
        return {
          ...opened,
          decode(size) {
            decoded.push(args[0]);
            return opened.decode(size);
          },
        };
      },
    });
    const run = transfer(noise(20, 30), noise(20, 20), { extractor: engine(), size: 16384, memory: 1e9 });
    await expect(run).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', option: 'size', value: 16384 });
    expect(decoded).toEqual([]);
  });

  it('of the machine is the limit where none is given', async () => {
    const transfer = styleTransferOn({ ...anyPlatform, memory: () => 201e6 });
    await expect(transfer(noise(20, 30), noise(20, 20), { extractor: engine() })).rejects.toThrow(
      'does not fit into 0.201 GB of memory',
    );
  });

  it.each([0, -1, 1.5, '2GB', Number.NaN])('%j is refused', async (memory) => {
    await expect(
      styleTransfer(noise(20, 30), noise(20, 20), { memory: memory as number }),
    ).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'memory',
    });
  });

  it('that is planned is told when a stage starts, and the engine gets its room', async () => {
    const starts: StartEvent[] = [];
    const rooms: (number | undefined)[] = [];
    const extractor = engine({
      objective(_, __, options) {
        rooms.push(options?.room);
        return undefined;
      },
    });
    const { image } = await styleTransfer(noise(24, 32), noise(20, 20), {
      extractor,
      memory: 1e9,
      scales: [
        { size: 16, iterations: 1 },
        { size: 32, iterations: 1 },
      ],
      onProgress: (event: StyleTransferProgress) => {
        if (event.type === 'start') starts.push(event);
      },
    });
    image.dispose();
    expect(starts.map(({ plan }) => plan.maps)).toEqual([1e6 + 1000 * 16 * 12, 1e6 + 1000 * 32 * 24]);
    // What the last stage leaves for the engine is what every stage gets.
    const { images, vectors, history } = (starts.at(-1) as StartEvent).plan;
    const room = 1e9 - 200e6 - images - vectors - history;
    expect(rooms).toEqual([room, room]);
  });
});
