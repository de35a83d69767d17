import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createObjective, getPreset, presetLoss, styleTransfer } from '../../src';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { setWasmFiles } from './wasm-files';

setWasmFiles();

const image = (height: number, width: number, seed: number) =>
  tf.randomUniform([height, width, 3], 0.1, 0.9, 'float32', seed) as tf.Tensor3D;

/** Loss and gradient of a preset on the tiny network, as numbers. */
async function evaluate() {
  const extractor = tinyExtractor({ seed: 4 });
  const [content, style, at] = [image(19, 26, 1), image(16, 16, 2), image(19, 26, 3)];
  const loss = presetLoss(getPreset('li2021'), { extractor, content, style }, { beta: 1e3 });
  const { value, gradient } = createObjective(extractor, loss, [19, 26]).evaluate(at);
  return { value: (await value.data())[0], gradient: Array.from(await gradient.data()) };
}

describe.each(['wasm', 'webgl', 'webgpu'])('on %s in a page', (backend) => {
  let expected: Awaited<ReturnType<typeof evaluate>>;
  let works = false;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    expected = await evaluate();
    works = await tf.setBackend(backend).catch(() => false);
    if (!works) console.warn(`skipped: tests on ${backend}, which does not start in this browser`);
  });

  it('loss and gradient agree with the cpu backend', async (context) => {
    if (!works) return context.skip();
    const found = await evaluate();
    expect(Math.abs(found.value - expected.value) / expected.value).toBeLessThan(1e-4);
    const length = Math.hypot(...expected.gradient);
    expect(Math.hypot(...found.gradient.map((g, i) => g - expected.gradient[i])) / length).toBeLessThan(1e-3);
  });

  it('styleTransfer works and leaves nothing but the image', async (context) => {
    if (!works) return context.skip();
    const extractor = tinyExtractor({ seed: 4 });
    const [content, style] = [image(24, 16, 1), image(16, 16, 2)];
    const found = await expectNoLeak(async () => {
      const {
        image: made,
        loss,
        history,
        backend: used,
      } = await styleTransfer(content, style, 1, 1e3, { extractor, iterations: 6 });
      return { made, loss, first: history[0].loss, used };
    });
    expect(found.used).toBe(backend);
    expect(found.loss).toBeLessThan(0.7 * found.first);
    expect(found.made.shape).toEqual([24, 16, 3]);
  });

  it('a run in grey starts from the content and has its colours in previews', async (context) => {
    if (!works) return context.skip();
    const [content, style] = [image(12, 16, 1), image(16, 16, 2)];
    let preview: tf.Tensor3D | undefined;
    const { dispose, loss, history } = await styleTransfer(content, style, 1, 1e3, {
      extractor: tinyExtractor({ seed: 4 }),
      color: 'content',
      iterations: 4,
      onProgress: (event) => {
        if (event.type === 'step') preview ??= event.image();
      },
    });
    dispose();
    expect(loss).toBeLessThan(history[0].loss);
    const [found, wanted] = [await preview?.data(), await content.data()];
    expect(found).toHaveLength(wanted.length);
    for (const [i, value] of wanted.entries()) expect(Math.abs((found?.[i] ?? 0) - value)).toBeLessThan(2e-3);
  });
});
