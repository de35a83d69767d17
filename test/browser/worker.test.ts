import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGenerator, encodeGenerator, johnson } from '../../src/generators';
import {
  createStyleWorker,
  type ImageInput,
  type StyleWorker,
  toImageBitmap,
  toImageData,
} from '../../src/worker';

/** A rectangle on a ground, without transparency. */
function canvas(colour: string): HTMLCanvasElement {
  const element = Object.assign(document.createElement('canvas'), { width: 40, height: 32 });
  const context = element.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = 'silver';
  context.fillRect(0, 0, 40, 32);
  context.fillStyle = colour;
  context.fillRect(4, 4, 20, 20);
  return element;
}

const pixels = () => (canvas('red').getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, 40, 32);

async function element(): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = canvas('red').toDataURL();
  await image.decode();
  return image;
}

function offscreen(): OffscreenCanvas {
  const made = new OffscreenCanvas(40, 32);
  (made.getContext('2d') as OffscreenCanvasRenderingContext2D).drawImage(canvas('red'), 0, 0);
  return made;
}

const kinds: readonly [string, () => ImageInput | Promise<ImageInput>][] = [
  ['a canvas', () => canvas('red')],
  ['an image element', element],
  ['ImageData', pixels],
  ['an ImageBitmap', () => createImageBitmap(canvas('red'))],
  ['an OffscreenCanvas', offscreen],
  ['a VideoFrame', () => new VideoFrame(canvas('red'), { timestamp: 0 })],
  ['a Blob', () => new Promise<Blob>((resolve) => canvas('red').toBlob((found) => resolve(found as Blob)))],
];

describe('styleTransfer in a worker', () => {
  let worker: StyleWorker;
  beforeAll(() => {
    worker = createStyleWorker();
  });
  afterAll(() => worker.terminate());
  const paint = (content: ImageInput, signal?: AbortSignal) =>
    worker.styleTransfer(content, canvas('blue'), 1, 1e5, { weights: 'embedded', iterations: 1, signal });

  it.each(kinds)('takes %s, and leaves it as it is', async (_name, make) => {
    const content = await make();
    const [expected, first] = [await paint(pixels()), await paint(content)];
    // Colours of a video frame are not RGB on the way.
    const tolerance = content instanceof VideoFrame ? 0.05 : 1e-6;
    const differences = first.image.data.map((value, i) => Math.abs(value - expected.image.data[i]));
    expect(Math.max(...differences)).toBeLessThan(tolerance);
    const second = await paint(content);
    expect(second.image.data).toEqual(first.image.data);
    if (content instanceof VideoFrame) content.close();
  });

  it('paints what was there at the call', async () => {
    const element = canvas('red');
    const expected = await paint(element);
    const run = paint(element);
    (element.getContext('2d') as CanvasRenderingContext2D).fillRect(0, 0, 40, 32);
    expect((await run).image.data).toEqual(expected.image.data);
  });

  it('gives the image as a bitmap too, and as pixels of a canvas', async () => {
    const { image, bitmap } = await paint(canvas('red'));
    const context = new OffscreenCanvas(40, 32).getContext('2d') as OffscreenCanvasRenderingContext2D;
    const read = (drawn: ImageBitmap) => {
      context.drawImage(drawn, 0, 0);
      return context.getImageData(0, 0, 40, 32).data;
    };
    expect(read(bitmap)).toEqual(toImageData(image).data);
    expect(read(await toImageBitmap(image))).toEqual(toImageData(image).data);
  });

  it('paints by a generator, from pixels that are drawn', async () => {
    const { network, initialWeights } = johnson({ width: 4, blocks: 1 });
    const generator = createGenerator({ network, weights: initialWeights(1) });
    const { image, bitmap } = await worker.stylize(canvas('red'), generator);
    expect([bitmap.width, bitmap.height]).toEqual([40, 32]);
    const again = await worker.stylize(await element(), encodeGenerator(generator));
    expect(again.image.data).toEqual(image.data);
  });

  it('refuses what has no pixels, by name', async () => {
    await expect(paint(new Image())).rejects.toMatchObject({ code: 'EMPTY', option: 'content' });
    await expect(paint(document.createElement('video'))).rejects.toMatchObject({ code: 'EMPTY' });
    await expect(paint(new Blob(['text']))).rejects.toMatchObject({
      code: 'NOT_AN_IMAGE',
      option: 'content',
    });
    await expect(paint('photo.jpg' as never)).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' });
  });
});
