import {
  createStyleWorker,
  type StyleWorkerOptions,
  styleTransfer,
  type WorkerProgress,
  type WorkerStyleTransferOptions,
} from '../../src/worker';

/** A picture of one rectangle. */
function picture(colour: string, side = 40): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = colour;
  context.fillRect(4, 4, side / 2, side / 2);
  return canvas;
}

/** What a call came to: its facts, or the error's class, code and message. */
async function outcome(work: () => Promise<object>) {
  try {
    return await work();
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return { name, code, message };
  }
}

const quick: WorkerStyleTransferOptions = { weights: 'embedded', iterations: 2 };

/** A small run in the worker of this package. */
export const paint = (options: WorkerStyleTransferOptions = {}) =>
  outcome(async () => {
    const { engine, backend, loss, history } = await styleTransfer(picture('red'), picture('blue'), 1, 1e4, {
      ...quick,
      ...options,
    });
    return { engine, backend, falls: loss < history[0].loss };
  });

/** A small run in a worker of one's own. `script` is the text of the worker's script. */
export const paintIn = ({ script, ...options }: StyleWorkerOptions & { readonly script?: string } = {}) =>
  outcome(async () => {
    const worker = script === undefined ? {} : { worker: URL.createObjectURL(new Blob([script])) };
    using own = createStyleWorker({ ...options, ...worker });
    const { backend } = await own.styleTransfer(picture('red'), picture('blue'), 1, 1e4, quick);
    return { backend };
  });

/** A run whose worker ends without a word, after its first preview. */
export const lose = () =>
  outcome(async () => {
    const started: Worker[] = [];
    const Original = globalThis.Worker;
    globalThis.Worker = class extends Original {
      constructor(...args: ConstructorParameters<typeof Original>) {
        super(...args);
        started.push(this);
      }
    };
    const worker = createStyleWorker();
    await worker.ready;
    globalThis.Worker = Original;
    let interrupted: WorkerProgress | undefined;
    try {
      await worker.styleTransfer(picture('red'), picture('blue'), 1, 1e4, {
        ...quick,
        iterations: 10_000,
        previewInterval: 0,
        onProgress: (event) => {
          if (event.type === 'preview') started[0].terminate();
          if (event.type === 'interrupted') interrupted = event;
        },
      });
      return { code: 'none' };
    } catch (error) {
      const { code } = error as { code: string };
      const image = interrupted?.type === 'interrupted' ? interrupted.image : undefined;
      return { code, pixels: image?.data.length };
    }
  });

/** A run with a loss from a module. */
export const paintBy = (loss: string) =>
  outcome(async () => {
    const { terms } = await styleTransfer(picture('red'), picture('blue'), { ...quick, loss });
    return { terms: Object.keys(terms).length };
  });

/** A run whose content is a picture of another origin, the same server under its other name. */
export const paintForeign = (path: string) =>
  outcome(async () => {
    const image = new Image();
    image.src = `http://localhost:${location.port}${path}`;
    await image.decode();
    return styleTransfer(image, picture('blue'), 1, 1e4, quick);
  });

/** The longest gap between frames of this page in milliseconds, and their median, while `work` runs. */
async function frames(work: () => Promise<unknown>) {
  const gaps: number[] = [];
  let last = performance.now();
  let running = true;
  const tick = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    if (running) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  await work();
  running = false;
  gaps.push(performance.now() - last);
  const sorted = gaps.toSorted((a, b) => a - b);
  return { longest: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)], frames: gaps.length };
}

/** Frames of the page during a run of 128 pixels in the worker, with previews. */
export const framesInWorker = () => {
  const canvas = picture('red', 128);
  const context = Object.assign(document.createElement('canvas'), { width: 128, height: 128 }).getContext(
    'bitmaprenderer',
  );
  return frames(() =>
    styleTransfer(canvas, picture('blue', 128), 1, 1e4, {
      ...quick,
      iterations: 20,
      threads: 1,
      previewInterval: 100,
      onProgress: (event) => {
        if (event.type === 'preview') context?.transferFromImageBitmap(event.bitmap);
      },
    }),
  );
};
