import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type StyleTransferOptions, styleTransfer } from '../../src';
import {
  arbitrary,
  createGenerator,
  fromModel,
  openGenerator,
  predictStyle,
  stylize,
} from '../../src/generators';
import { expectNoLeak } from '../../src/testing';
import { makeStyle } from '../../src/transfer/make-style';
import type { StyleInput } from '../../src/transfer/styles';
import '../support/backends';
import { negative, redAndBlue } from '../support/generators';
import { noise } from '../support/images';

const quick = { weights: 'embedded', iterations: 1, scales: 1, threads: 1 } as const;
let content: tf.Tensor3D;
let style: tf.Tensor3D;

/** The loss at the start, and the record. */
async function started(
  init: StyleTransferOptions['init'],
  options: StyleTransferOptions = {},
  of: StyleInput = style,
) {
  const warnings: string[] = [];
  const result = await styleTransfer(content, of, {
    ...quick,
    ...options,
    init,
    onProgress: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
  });
  result.dispose();
  return { loss: result.history[0].loss, settings: result.settings, warnings };
}

describe('a start from a generator', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
    content = tf.keep(noise(26, 18));
    style = tf.keep(noise(20, 20));
  });

  it('is what it paints of the content at the size of the first stage', async () => {
    const { image } = await stylize(content, negative());
    const expected = await started(image);
    const found = await expectNoLeak(() => started(negative()));
    expect(found.loss).toBeCloseTo(expected.loss, 5);
    expect(found.loss).not.toBeCloseTo((await started('content')).loss, 1);
    image.dispose();
  });

  it('may be an open one, which stays open, or a model of the user, which has no hash', async () => {
    using open = await openGenerator(negative());
    const first = await started(open);
    expect(first.settings.init).toEqual({ of: 'generator', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await started(open)).toEqual(first);
    using model = fromModel({ predict: (input) => tf.sub(1, input as tf.Tensor) });
    const other = await started(model);
    expect(other.loss).toBeCloseTo(first.loss, 5);
    expect(other.settings.init).toBeUndefined();
    expect(other.settings.unrecorded).toContain('init');
  });

  it('stands in the record by its hash, and a repeated run asks for it again', async () => {
    const { settings } = await started(negative());
    expect(settings.init).toMatchObject({ of: 'generator' });
    const again = await started(negative(), { settings, threads: undefined });
    expect(again.warnings).toEqual([]);
    const other = await started(negative(2), { settings });
    expect(other.warnings.join()).toContain('init is another generator');
    await expect(styleTransfer(content, style, { settings })).rejects.toMatchObject({
      code: 'NOT_REPLAYABLE',
      message: expect.stringContaining('init, which was an image or a generator'),
    });
  });

  it('paints as the style of the run where it paints as any picture', async () => {
    const { network, predictor, initialWeights } = arbitrary({ width: 4, blocks: 1, vectorLength: 4 });
    const generator = createGenerator({ network, predictor, weights: initialWeights(3) });
    const vector = await predictStyle(generator, style);
    const { image } = await stylize(content, generator, { style: vector });
    expect((await started(generator)).loss).toBeCloseTo((await started(image)).loss, 4);
    image.dispose();
  });

  it('has the colours that the run moves to the styles', async () => {
    const [moved, plainStart] = [
      await started(negative(), { color: 'mean' }),
      await started(negative(), { color: 'style' }),
    ];
    expect(moved.loss).not.toBe(plainStart.loss);
    expect((await started(negative(), { color: 'content' })).loss).toBeGreaterThan(0);
  });

  it('is refused where it has several styles, or the image is too small for it', async () => {
    await expect(started(redAndBlue())).rejects.toMatchObject({
      code: 'CONFLICTING_OPTIONS',
      option: 'init',
      message: expect.stringContaining('the picture that stylize() paints'),
    });
    const { network, predictor, initialWeights } = arbitrary({ width: 4, blocks: 1, vectorLength: 4 });
    const any = createGenerator({ network, predictor, weights: initialWeights(3) });
    const file = await makeStyle(style, { weights: 'embedded' });
    await expect(started(any, {}, file)).rejects.toMatchObject({
      code: 'CONFLICTING_OPTIONS',
      option: 'init',
    });
    await expect(started(negative(32))).rejects.toMatchObject({ code: 'TOO_SMALL', option: 'size' });
    await expect(started({ kind: 'generator' } as never)).rejects.toMatchObject({ option: 'init' });
  });
});
