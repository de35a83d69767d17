import {
  loadVgg19,
  type StyleTransferOptions,
  type StyleTransferResult,
  styleTransfer,
} from 'tfjs-style-transfer';
import { transferColor } from 'tfjs-style-transfer/color';
import { contentLoss, type Loss, styleLoss, sum, weighted } from 'tfjs-style-transfer/losses';
import { ssim } from 'tfjs-style-transfer/metrics';
import { readImage } from 'tfjs-style-transfer/node';
import { lbfgs, minimize } from 'tfjs-style-transfer/optim';
import { tinyExtractor } from 'tfjs-style-transfer/testing';
import { createStyleWorker } from 'tfjs-style-transfer/worker';

export async function paint(): Promise<StyleTransferResult> {
  const image = await readImage('picture.png');
  const extractor = tinyExtractor();
  const content = contentLoss(extractor.extract(image, ['conv2_2']));
  const loss: Loss = sum([content, weighted(2, styleLoss(extractor.extract(image, ['conv1_1'])))]);
  // @ts-expect-error a misspelt layer is a type error
  extractor.extract(image, ['conv2-2']);
  const parabola = (v: Float64Array) => ({ value: v[0] ** 2, gradient: v.map((a) => 2 * a) });
  const { x } = await minimize(parabola, Float64Array.of(1), { method: lbfgs() });
  const similarity: number = (await ssim(image, await transferColor(image, image))) + x[0];
  const options: StyleTransferOptions = { loss, iterations: Math.round(similarity) };
  void [loadVgg19, createStyleWorker];
  return styleTransfer(image, image, 1, 1e6, options);
}
