import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineLoss, type Loss, sum } from '../../src/losses';
import { lbfgs } from '../../src/optim';
import { type LossTargets, presetLoss } from '../../src/transfer/preset-loss';
import { getPreset } from '../../src/transfer/presets';
import type { RunPlan, StartEvent, StyleTransferProgress } from '../../src/transfer/progress';
import { styleTransfer } from '../../src/transfer/style-transfer';
import { noise } from '../support/images';
import '../support/backends';
import '../support/to-be-allclose';

beforeAll(() => tf.setBackend('wasm'));

const height = 160;
const width = 40;

/** A run of a few iterations, and the plan of its start event. */
async function run(
  engine: 'tfjs' | 'wasm',
  options: { memory?: number; loss?: (targets: LossTargets) => Loss } = {},
) {
  const [content, style] = [noise(height, width, 1), noise(60, 50, 2)];
  let start: StartEvent | undefined;
  try {
    const result = await styleTransfer(content, style, {
      engine,
      weights: 'embedded',
      iterations: 6,
      tolerance: 0,
      // So few pairs that a limit leaves them as they are.
      optimizer: lbfgs({ memory: 3 }),
      onProgress: (event: StyleTransferProgress) => {
        if (event.type === 'start') start = event;
      },
      ...options,
    });
    return { ...result, plan: start?.plan };
  } finally {
    tf.dispose([content, style]);
  }
}

/** The limit that is a byte below what a run takes as a whole, with the program's own memory. */
const belowWhole = (bytes = 0): number => Math.floor(bytes) + 200e6 - 1;

describe.each(['tfjs', 'wasm'] as const)(
  'a run in less memory than the whole image takes, engine %s',
  (engine) => {
    let whole: Awaited<ReturnType<typeof run>>;
    let tilesPlan: RunPlan | undefined;
    beforeAll(async () => {
      whole = await run(engine);
    });
    afterAll(() => whole.dispose());

    it('computes by tiles and comes to the same loss and picture', async () => {
      expect(whole.plan?.tiles).toBe(1);
      const before = tf.memory().numTensors;
      const tiled = await run(engine, { memory: belowWhole(whole.plan?.bytes) });
      tilesPlan = tiled.plan;
      expect(tiled.plan?.tiles).toBeGreaterThan(1);
      expect(tiled.plan?.bytes).toBeLessThan(whole.plan?.bytes ?? 0);
      expect(tiled.evaluations).toBe(whole.evaluations);
      expect(tiled.loss).toBeAllclose(whole.loss, { rtol: 1e-4 });
      expect(tiled.image).toBeAllclose(whole.image, { rtol: 0, atol: 1e-2 });
      tiled.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it("takes a loss of a caller's function, unless tiles cannot compute it", async () => {
      const preset = getPreset('li2021');
      const memory = 200e6 + (tilesPlan?.bytes ?? 0);
      const tiled = await run(engine, { loss: (targets) => presetLoss(preset, targets), memory });
      expect(tiled.loss).toBeAllclose(whole.loss, { rtol: 1e-4 });
      tiled.dispose();
      const mine = () =>
        defineLoss({
          name: 'mine',
          layers: ['conv2_1'],
          compute: ({ conv2_1 }) => tf.mean(tf.square(conv2_1)),
        });
      const loss = (targets: LossTargets) => sum([presetLoss(preset, targets), mine()]);
      const before = tf.memory().numTensors;
      await expect(run(engine, { loss, memory })).rejects.toMatchObject({
        code: 'NOT_TILEABLE',
        value: 'mine',
      });
      expect(tf.memory().numTensors).toBe(before);
    });
  },
);
