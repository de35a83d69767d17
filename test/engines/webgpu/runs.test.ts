import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { contentLoss, styleLoss, sum, weighted } from '../../../src/losses';
import { loadVgg19, styleTransfer } from '../../../src/node';
import { createObjective } from '../../../src/objective';
import { noise } from '../../support/images';
import { hasShared, shared } from '../../support/shared';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import '@tensorflow/tfjs-backend-cpu';
import '../../support/to-be-allclose';

/** 16 x 16 pixels of numbers. */
const pixels = (at: (x: number, i: number) => number) => ({
  data: Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => at(Math.floor(i / 3) % 16, i)),
  width: 16,
  height: 16,
  channels: 3 as const,
});

describe.skipIf(!hasWebgpu)('the engine webgpu beside wasm', { timeout: 600_000 }, () => {
  onWebgpu();

  it('paints regions in the same steps', async () => {
    const left = pixels((x) => (x < 8 ? 255 : 0));
    const right = pixels((x) => (x < 8 ? 0 : 255));
    const [content, style, other] = [7, 11, 13].map((seed) => pixels((_, i) => (i * seed) % 251));
    const losses: number[][] = [];
    for (const engine of ['webgpu', 'wasm'] as const) {
      await tf.setBackend(engine === 'wasm' ? 'cpu' : 'webgpu');
      const painted = await styleTransfer(content, style, {
        engine,
        weights: 'embedded',
        regions: [
          { content: left, style: left },
          { content: right, styleImage: other, weight: 2 },
        ],
        iterations: 2,
      });
      expect(painted.engine).toBe(engine);
      losses.push(painted.history.map(({ loss }) => loss));
      painted.dispose();
    }
    expect(losses[0].length).toBeGreaterThan(1);
    expect(losses[0].at(-1)).toBeLessThan(losses[0][0]);
    expect(losses[0]).toBeAllclose(losses[1], { rtol: 1e-4 });
  });

  it.skipIf(!hasShared('vgg19-uint8'))(
    'computes VGG-19 to conv5_1, of sizes that nothing divides',
    async () => {
      const size = [17, 19] as const;
      const how = { weights: shared('vgg19-uint8'), lastLayer: 'conv5_1' } as const;
      await tf.setBackend('cpu');
      const byWasm = await loadVgg19({ ...how, engine: 'wasm' });
      const images = [noise(...size, 1), noise(18, 16, 2), noise(...size, 3)] as const;
      // Operations of tfjs would take the most time, on webgpu in software.
      const content = byWasm.extract(images[0], ['conv4_2']);
      const style = byWasm.extract(images[1], ['conv1_1', 'conv3_1', 'conv5_1']);
      const loss = sum([contentLoss(content), weighted(1e3, styleLoss(style))]);
      const found: { readonly values: number[]; readonly gradient: Float32Array }[] = [];
      for (const engine of ['wasm', 'webgpu'] as const) {
        await tf.setBackend(engine === 'wasm' ? 'cpu' : 'webgpu');
        const extractor = engine === 'wasm' ? byWasm : await loadVgg19({ ...how, engine });
        const objective = createObjective(extractor, loss, size);
        const { value, gradient, terms } = objective.evaluate(images[2]);
        const numbers = [value, ...Object.values(terms)].map(async (one) => (await one.data())[0]);
        found.push({ values: await Promise.all(numbers), gradient: await gradient.data<'float32'>() });
        tf.dispose([value, gradient, terms] as tf.TensorContainer);
        objective.dispose();
        extractor.dispose();
      }
      tf.dispose([images, content, style] as tf.TensorContainer);
      loss.dispose?.();
      const [theirs, ours] = found;
      expect(ours.values).toBeAllclose(theirs.values, { rtol: 1e-5 });
      const error = Math.hypot(...ours.gradient.map((g, i) => g - theirs.gradient[i]));
      expect(error / Math.hypot(...theirs.gradient)).toBeLessThan(1e-4);
    },
  );
});
