import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { styleTransfer, useWasm } from '../../src';
import { styleLoss } from '../../src/losses';
import { createStyleWorker } from '../../src/worker';

const pixels = (seed: number) => ({
  data: Uint8Array.from({ length: 20 * 16 * 3 }, (_, i) => (i * seed) % 251),
  width: 20,
  height: 16,
  channels: 3 as const,
});

type EngineName = 'auto' | 'webgpu' | 'wasm';

/** A tiny run, the same wherever it is computed. Of two layers: software compiles kernels for seconds. */
const options = (engine: EngineName) => ({ weights: 'embedded', iterations: 3, engine }) as const;
const layers = ['conv1_1', 'conv1_2'] as const;

/** The loss as a module, for the worker. */
const lossModule = `export default ({ extractor, style }, { losses }) =>
  losses.styleLoss(extractor.extract(style, ${JSON.stringify(layers)}));`;

/** What a run came to: where it was computed, the losses, and codes of warnings. */
export interface Found {
  readonly engine: string;
  readonly backend: string;
  readonly losses: readonly number[];
  readonly warnings: readonly string[];
}

const facts = (
  { engine, backend, history }: { engine: string; backend: string; history: readonly { loss: number }[] },
  warnings: readonly string[],
): Found => ({ engine, backend, losses: history.map(({ loss }) => loss), warnings });

/** In the page. */
export async function paint(engine: EngineName): Promise<Found> {
  if (engine === 'wasm') await useWasm();
  else await tf.setBackend('webgpu');
  const warnings: string[] = [];
  using result = await styleTransfer(pixels(7), pixels(11), {
    ...options(engine),
    loss: ({ extractor, style }) => styleLoss(extractor.extract(style, layers)),
    onProgress: (event) => void (event.type === 'warning' && warnings.push(event.code)),
  });
  return facts(result, warnings);
}

/** In the library's worker, on its backend webgpu. */
export async function paintInWorker(engines: readonly EngineName[]): Promise<Found[]> {
  using worker = createStyleWorker({ backend: 'webgpu' });
  const found: Found[] = [];
  const loss = URL.createObjectURL(new Blob([lossModule], { type: 'text/javascript' }));
  for (const engine of engines) {
    const warnings: string[] = [];
    const result = await worker.styleTransfer(pixels(7), pixels(11), {
      ...options(engine),
      loss,
      onProgress: (event) => void (event.type === 'warning' && warnings.push(event.code)),
    });
    found.push(facts(result, warnings));
  }
  return found;
}
