import { type StyleTransferOptions, styleTransfer, useWasm } from '../src';
import { createStyleWorker, toImageBitmap } from '../src/worker';
import { randomWeights } from '../test/engines/wasm/random-weights';

/** A picture with something everywhere. */
function picture(side: number, hue: number): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  for (let i = 0; i < 400; i++) {
    context.fillStyle = `hsl(${hue + ((i * 37) % 90)} 80% ${20 + ((i * 13) % 60)}%)`;
    context.fillRect((i * 97) % side, (i * 61) % side, side / 5, side / 9);
  }
  return canvas;
}

/** Gaps between frames of this page in milliseconds, while `work` runs. */
async function gapsDuring(work: () => Promise<unknown>): Promise<number[]> {
  const gaps: number[] = [];
  let last = performance.now();
  let running = true;
  const frame = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    if (running) requestAnimationFrame(frame);
  };
  await new Promise(requestAnimationFrame);
  last = performance.now();
  requestAnimationFrame(frame);
  await work();
  running = false;
  gaps.push(performance.now() - last);
  return gaps;
}

const shown = Object.assign(document.createElement('canvas'), { width: 256, height: 256 });
document.body.append(shown);
const view = shown.getContext('bitmaprenderer');

/** Weights of VGG-19's shapes, on whose values speed does not depend. */
const weights = Object.fromEntries(randomWeights('conv3_1'));

const options = (size: number, iterations: number) =>
  ({ size, iterations, threads: 1, engine: 'wasm', weights }) satisfies StyleTransferOptions;

/** Gaps between frames while a run with previews paints in a worker, while none does, and on the page's own thread. */
export async function measure({ size = 256, iterations = 20, previewInterval = 200 } = {}) {
  const [content, style] = [picture(size, 0), picture(size, 180)];
  const worker = createStyleWorker();
  await worker.ready;
  const inWorker = await gapsDuring(() =>
    worker.styleTransfer(content, style, 1, 1e4, {
      ...options(size, iterations),
      previewInterval,
      onProgress: (event) => {
        if (event.type === 'preview') view?.transferFromImageBitmap(event.bitmap);
      },
    }),
  );
  worker.terminate();
  // What other programs of the machine do to the page, for as long.
  const duration = inWorker.reduce((sum, gap) => sum + gap, 0);
  const idle = await gapsDuring(() => new Promise((resolve) => setTimeout(resolve, duration)));
  await useWasm();
  let previewedAt = -Infinity;
  const onPage = await gapsDuring(async () => {
    const { dispose } = await styleTransfer(content, style, 1, 1e4, {
      ...options(size, iterations),
      onProgress: async (event) => {
        if (event.type !== 'step' || performance.now() - previewedAt < previewInterval) return;
        previewedAt = performance.now();
        const image = event.image();
        const data = await image.data<'float32'>();
        image.dispose();
        view?.transferFromImageBitmap(await toImageBitmap({ data, width: size, height: size, channels: 3 }));
      },
    });
    dispose();
  });
  return { inWorker, idle, onPage };
}
