import { ImageError } from '../errors';
import { untilAborted } from '../until-aborted';
import { classNameOf } from './class-name';

/** An input whose pixels a page reads by drawing it. */
export type Drawable =
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | VideoFrame;

const drawableClasses = [
  'ImageBitmap',
  'HTMLImageElement',
  'HTMLCanvasElement',
  'HTMLVideoElement',
  'OffscreenCanvas',
  'VideoFrame',
];

/** Whether a value is a {@link Drawable}. */
export const isDrawable = (input: unknown): input is Drawable =>
  drawableClasses.some((name) => isInstance(input, name));

/** Whether a value is a `Blob` or a `File`. */
export const isBlob = (input: unknown): input is Blob =>
  isInstance(input, 'Blob') || isInstance(input, 'File');

/** Whether a value is an instance of a class, or of a subclass, that may not exist on this platform. */
function isInstance(input: unknown, className: string): boolean {
  const found = (globalThis as Record<string, unknown>)[className];
  return classNameOf(input) === className || (typeof found === 'function' && input instanceof found);
}

/** Whether a drawable is an image element that is still loading. */
export const isLoading = (source: Drawable): source is HTMLImageElement =>
  'complete' in source && !source.complete;

/**
 * Waits for an image element that is loading; where that fails, {@link requireDrawn} refuses it. An element with
 * `loading="lazy"` becomes an eager one: it might else never load.
 *
 * @throws the signal's reason
 */
export async function loaded(element: HTMLImageElement, signal?: AbortSignal): Promise<void> {
  element.loading = 'eager';
  await untilAborted(
    signal,
    element.decode().catch(() => {}),
  );
}

/**
 * Width and height of a drawable in pixels.
 *
 * @throws ImageError `EMPTY` if it has none, such as an element whose picture could not be loaded
 */
export function requireDrawn(option: string, source: Drawable): [width: number, height: number] {
  const [width, height] = sizeOf(source);
  if (width >= 1 && height >= 1) return [width, height];
  const accepted = 'an element that has finished loading';
  throw new ImageError('EMPTY', `${option} has ${width}x${height} pixels; accepted: ${accepted}.`, {
    option,
    accepted,
  });
}

function sizeOf(source: Drawable): [width: number, height: number] {
  if ('naturalWidth' in source) return [source.naturalWidth, source.naturalHeight];
  if ('videoWidth' in source) return [source.videoWidth, source.videoHeight];
  if ('displayWidth' in source) return [source.displayWidth, source.displayHeight];
  return [source.width, source.height];
}

/** The error for a picture of another origin whose server does not allow its pixels to be read. */
export function crossOrigin(option: string, cause: unknown): ImageError {
  return new ImageError(
    'CROSS_ORIGIN',
    `${option} comes from another origin, which does not allow its pixels to be read.`,
    { option, accepted: 'an image of this origin, or one loaded with crossOrigin and CORS headers', cause },
  );
}
