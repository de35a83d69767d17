import { ImageError, InvalidArgumentError } from '../errors';
import { classNameOf } from '../image/class-name';
import {
  crossOrigin,
  type Drawable,
  isBlob,
  isDrawable,
  isLoading,
  loaded,
  requireDrawn,
} from '../image/drawable';
import { showValue } from '../options/show';

/** Values on their way to a worker, and what moves there instead of being copied once more. */
export interface Crossing<T> {
  readonly value: T;
  readonly transfer: Transferable[];
}

/** What is collected on a walk through arguments, and what ends it. */
interface Walk {
  readonly transfer: Transferable[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Prepares arguments for a worker. Images become bitmaps or copies of their pixels, which move without another copy and
 * leave the caller's objects as they are; addresses become texts; records and lists are walked. Image elements that are
 * still loading are waited for.
 *
 * @param values arguments by name, for messages
 * @param signal ends the waiting
 * @throws ImageError if an image is empty, or its pixels may not be read
 * @throws InvalidArgumentError `WRONG_TYPE` for functions and instances of classes, which cannot cross
 * @throws the signal's reason
 */
export async function crossing<T extends object>(values: T, signal?: AbortSignal): Promise<Crossing<T>> {
  const transfer: Transferable[] = [];
  try {
    return { value: (await walk('', values, { transfer, signal })) as T, transfer };
  } catch (error) {
    release(transfer);
    throw error;
  }
}

/** Frees bitmaps that do not cross after all. */
export function release(transfer: readonly Transferable[]): void {
  for (const thing of transfer)
    if (typeof ImageBitmap === 'function' && thing instanceof ImageBitmap) thing.close();
}

async function walk(name: string, value: unknown, on: Walk): Promise<unknown> {
  const { transfer } = on;
  if (typeof value === 'function' || typeof value === 'symbol') throw cannotCross(name, value);
  if (typeof value !== 'object' || value === null || isBlob(value)) return value;
  if (isDrawable(value)) {
    const bitmap = await bitmapOf(name, value, on.signal);
    transfer.push(bitmap);
    return bitmap;
  }
  if (value instanceof URL) return value.href;
  if (ArrayBuffer.isView(value)) {
    const copy = copyOf(value);
    transfer.push(copy.buffer);
    return copy;
  }
  // Not by `instanceof`, for values of another realm, such as a frame.
  const kind = classNameOf(value);
  if (kind === 'ArrayBuffer') return value;
  if (kind === 'ImageData') {
    const { data, width, height } = value as ImageData;
    return walk(name, { data, width, height }, on);
  }
  if (Array.isArray(value)) return all(value.map((one, i) => walk(`${name}[${i}]`, one, on)));
  const walkEntries = (entries: readonly [unknown, unknown][], nameOf: (key: unknown) => string) =>
    all(entries.map(async ([key, one]) => [key, await walk(nameOf(key), one, on)] as const));
  if (kind === 'Map')
    return new Map(
      await walkEntries([...(value as Map<unknown, unknown>)], (key) => `${name}.get(${showValue(key)})`),
    );
  if (isTensor(value)) return walk(name, await pixelsOf(name, value), on);
  if (!isPlain(value)) throw cannotCross(name, value);
  return Object.fromEntries(
    (await walkEntries(Object.entries(value), (key) => (name ? `${name}.${key}` : `${key}`))) as [
      string,
      unknown,
    ][],
  );
}

/** Waits for all, also where one rejects: bitmaps that are made meanwhile must be known to be freed. */
async function all<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** In any realm, the prototype of a plain record itself has no prototype. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function copyOf(view: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = view;
  const bytes = new Uint8Array(new ArrayBuffer(byteLength));
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
  // An array of the same kind on the copied bytes: a Node Buffer is a Uint8Array.
  const name = classNameOf(view) as 'Uint8Array';
  return new globalThis[name](bytes.buffer);
}

async function bitmapOf(
  option: string,
  source: Drawable,
  signal: AbortSignal | undefined,
): Promise<ImageBitmap> {
  // What needs no waiting is drawn at once: a canvas may show another picture a moment later.
  if (isLoading(source)) await loaded(source, signal);
  const [width, height] = requireDrawn(option, source);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(source);
  } catch (cause) {
    const accepted = 'an element that has finished loading';
    const message = `${option} cannot be read: ${showValue(String(cause))}; accepted: ${accepted}.`;
    throw new ImageError('EMPTY', message, { option, value: [height, width], accepted, cause });
  }
  try {
    const probe = new OffscreenCanvas(1, 1).getContext('2d');
    probe?.drawImage(bitmap, 0, 0, 1, 1, 0, 0, 1, 1);
    probe?.getImageData(0, 0, 1, 1);
  } catch (cause) {
    // A bitmap with pixels of another origin could not move either.
    bitmap.close();
    throw crossOrigin(option, cause);
  }
  return bitmap;
}

/** The part of a tensor that is read here; this side knows no tfjs. */
interface TensorLike {
  readonly shape: readonly number[];
  readonly dataId: object;
  data(): Promise<ArrayBufferView>;
}

const isTensor = (value: object): value is TensorLike =>
  'dataId' in value && 'shape' in value && 'data' in value;

async function pixelsOf(option: string, tensor: TensorLike): Promise<object> {
  const [height, width, channels] = tensor.shape;
  if (tensor.shape.length !== 3) throw cannotCross(option, tensor);
  return { data: await tensor.data(), width, height, channels };
}

function cannotCross(option: string, value: unknown): InvalidArgumentError {
  const accepted = 'an image, plain data, or the URL of a module';
  return new InvalidArgumentError(
    'WRONG_TYPE',
    `${option} is ${showValue(value)}, which cannot cross to a worker; accepted: ${accepted}.`,
    { option, value, accepted },
  );
}
