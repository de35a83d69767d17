import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageInput, toImage, toImageData } from '../../src';

/** Left half red, right half blue. */
function canvas(): HTMLCanvasElement {
  const element = Object.assign(document.createElement('canvas'), { width: 8, height: 4 });
  const context = element.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = 'rgb(255,0,0)';
  context.fillRect(0, 0, 4, 4);
  context.fillStyle = 'rgb(0,0,255)';
  context.fillRect(4, 0, 4, 4);
  return element;
}

const blob = () => new Promise<Blob>((resolve) => canvas().toBlob((found) => resolve(found as Blob)));

async function element(): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = canvas().toDataURL();
  await image.decode();
  return image;
}

describe('toImage in a page', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each<[string, () => ImageInput | Promise<ImageInput>]>([
    ['a canvas', canvas],
    ['ImageData', () => (canvas().getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, 8, 4)],
    ['an ImageBitmap', () => createImageBitmap(canvas())],
    ['a Blob', blob],
    ['an image element', element],
    [
      'an OffscreenCanvas',
      () => {
        const offscreen = new OffscreenCanvas(8, 4);
        (offscreen.getContext('2d') as OffscreenCanvasRenderingContext2D).drawImage(canvas(), 0, 0);
        return offscreen;
      },
    ],
  ])('takes %s', async (_, make) => {
    const image = await toImage(await make());
    expect(image.shape).toEqual([4, 8, 3]);
    const row = Array.from((await image.data()).slice(0, 24));
    expect(row).toEqual([...Array(4).fill([1, 0, 0]), ...Array(4).fill([0, 0, 1])].flat());
  });

  it.each(['eager', 'lazy'] as const)('waits for an element that is still loading, %s', async (loading) => {
    const image = Object.assign(new Image(), { loading });
    image.src = URL.createObjectURL(await blob());
    expect(image.complete).toBe(false);
    expect((await toImage(image)).shape).toEqual([4, 8, 3]);
  });

  it('stops waiting for an element when it is told to', async () => {
    const image = Object.defineProperties(new Image(), {
      complete: { value: false },
      decode: { value: () => new Promise(() => {}) },
    });
    const waiting = toImage(image, { signal: AbortSignal.timeout(20) });
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('refuses a Blob that is no image, and an element that has no picture or did not get it', async () => {
    await expect(toImage(new Blob(['text']))).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' });
    await expect(toImage(new Image())).rejects.toMatchObject({ code: 'EMPTY' });
    const broken = Object.assign(new Image(), { src: '/no-such-picture.png' });
    await expect(toImage(broken)).rejects.toMatchObject({ code: 'EMPTY' });
  });

  it('goes back to a canvas by toImageData', async () => {
    const data = await toImageData(await toImage(canvas()));
    expect(data).toBeInstanceOf(ImageData);
    const target = Object.assign(document.createElement('canvas'), { width: 8, height: 4 }).getContext(
      '2d',
    ) as CanvasRenderingContext2D;
    target.putImageData(data, 0, 0);
    expect(Array.from(target.getImageData(7, 3, 1, 1).data)).toEqual([0, 0, 255, 255]);
  });
});
