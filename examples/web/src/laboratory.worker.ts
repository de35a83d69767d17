import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type PresetName, vgg19Weights } from 'tfjs-style-transfer';
import { evaluate } from 'tfjs-style-transfer/metrics';
import { convolutionsOf } from './preset-layers';

/** What the page asks of this worker. */
export type Question =
  | { readonly kind: 'measure'; readonly image: ImageData; readonly content: Blob; readonly style: Blob }
  | { readonly kind: 'is-fetched'; readonly preset: PresetName };

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

addEventListener('message', async ({ data }: MessageEvent<{ id: number; question: Question }>) => {
  const { id, question } = data;
  try {
    postMessage({ id, value: await answer(question) } satisfies Answer);
  } catch (error) {
    postMessage({ id, error: (error as Error).message } satisfies Answer);
  }
});

async function answer(question: Question): Promise<unknown> {
  if (question.kind === 'measure') {
    await tf.setBackend('cpu');
    const { image, content, style } = question;
    return evaluate({
      image,
      content,
      style,
      metrics: ['ssim', 'msSsim', 'psnr', 'cosineSimilarity', 'mutualInformation'],
    });
  }
  return vgg19Weights({ offline: true })
    .read(convolutionsOf(question.preset))
    .then(
      () => true,
      () => false,
    );
}
