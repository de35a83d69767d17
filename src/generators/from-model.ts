import * as tf from '@tensorflow/tfjs-core';
import type { OpenGenerator } from '../engines/open-generator';
import { InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { imageFrom } from '../image/to-image';
import { showText, showValue } from '../options/show';
import { number, oneOf, optionTable } from '../options/table';
import { disposable, Lifetime, owning } from '../owning';
import { type ValueRange, valueRange } from './value-range';

/** A model of TensorFlow.js from an image to an image: a `tf.GraphModel`, a `tf.LayersModel`, or anything like them. */
export interface ImageModel {
  readonly name?: string;
  /** The shape of the first input, of which `null` or -1 is any extent. */
  readonly inputs?: readonly { readonly shape?: readonly (number | null)[] | null | undefined }[];
  /** Takes one image as a batch, and returns one. */
  predict(input: tf.Tensor): unknown;
}

/** Options of {@link fromModel}. */
export interface FromModelOptions {
  /** The values that the model takes for black and white: `[-1, 1]`, `[0, 255]`. @default [0, 1] */
  readonly range?: ValueRange | undefined;
  /** The values that the model gives for black and white. @default `range` */
  readonly outputRange?: ValueRange | undefined;
  /**
   * The order of axes: [1, height, width, 3], or [1, 3, height, width] as of PyTorch.
   * @default 'NHWC'
   */
  readonly layout?: ModelLayout | undefined;
  /** The order of colours. @default 'RGB' */
  readonly channels?: 'RGB' | 'BGR' | undefined;
  /**
   * Height and width must be multiples of this: 4 where the network halves them twice, 256 for a U-Net of eight levels.
   * Pictures of other sizes are filled up with their mirror image, and cut afterwards.
   * @default 1
   */
  readonly multiple?: number | undefined;
}

/** Order of the axes of an image. */
export type ModelLayout = 'NHWC' | 'NCHW';

const fromModelOptions = optionTable<FromModelOptions>()('fromModel', {
  range: valueRange(),
  outputRange: valueRange(),
  layout: oneOf<ModelLayout, { readonly default: 'NHWC' }>(['NHWC', 'NCHW'], { default: 'NHWC' }),
  channels: oneOf<'RGB' | 'BGR', { readonly default: 'RGB' }>(['RGB', 'BGR'], { default: 'RGB' }),
  multiple: number({ min: 1, max: 4096, integer: true, default: 1 }),
});

/**
 * A model of one's own as a generator that `stylize` takes: pix2pix (Isola et al. 2017), CycleGAN (Zhu et al. 2017) and
 * others that tfjs can run. The model computes on the active backend.
 *
 * A model whose input has a fixed height and width gets every picture resized to them, and its result is resized back.
 *
 * @param model remains the caller's, also after `dispose()` of the result
 * @param options see {@link FromModelOptions}
 * @returns a generator, which belongs to the caller
 * @throws InvalidArgumentError if `model` has no `predict`, takes another number of channels than 3, or an option is
 *   wrong
 * @example
 * ```ts
 * const model = await tf.loadGraphModel('https://example.org/cyclegan/model.json');
 * const { image } = await stylize(photo, fromModel(model, { range: [-1, 1], multiple: 4 }));
 * ```
 */
export function fromModel(model: ImageModel, options: FromModelOptions = {}): OpenGenerator {
  const { range = [0, 1], outputRange = range, layout, channels, multiple } = fromModelOptions.read(options);
  const fixed = fixedSize(model, layout);
  const lifetime = new Lifetime('The generator');
  const name = showText(model.name ?? 'model');
  return disposable({
    kind: 'openGenerator',
    name,
    generator: undefined,
    multiple: fixed ? 1 : multiple,
    smallest: 1,
    async run(image, _style, { signal } = {}) {
      lifetime.requireAlive();
      signal?.throwIfAborted();
      const [height, width] = image.shape;
      return owning(async ({ temporary }) => {
        const input = fixed ? temporary(await imageFrom('image', image, fixed, signal)) : image;
        const output = tf.tidy(() => {
          const given = toModel(input, range, layout, channels);
          const made = single(name, model.predict(given));
          return fromOutput(name, made, input.shape, outputRange, layout, channels);
        });
        if (!fixed) return output;
        return imageFrom('image', temporary(output), { width, height }, signal);
      });
    },
    dispose() {
      lifetime.end();
    },
  } satisfies Omit<OpenGenerator, typeof Symbol.dispose>);
}

/** Height and width of a model's input, if both are fixed; throws unless it takes images. */
function fixedSize(
  model: ImageModel,
  layout: ModelLayout,
): { readonly width: number; readonly height: number } | undefined {
  if (typeof (model as Partial<ImageModel> | null)?.predict !== 'function') {
    const accepted = 'a tf.GraphModel or tf.LayersModel, or an object with predict(tensor)';
    throw new InvalidArgumentError('WRONG_TYPE', `model is ${showValue(model)}; accepted: ${accepted}.`, {
      option: 'model',
      value: model,
      accepted,
    });
  }
  const shape = model.inputs?.[0]?.shape;
  if (!shape) return undefined;
  const channels = shape[layout === 'NHWC' ? 3 : 1];
  if (shape.length !== 4 || (isExtent(channels) && channels !== 3)) {
    const accepted =
      layout === 'NHWC' ? '[1, height, width, 3], layout NHWC' : '[1, 3, height, width], layout NCHW';
    throw new InvalidArgumentError('WRONG_SHAPE', `The model takes [${shape}]; accepted: ${accepted}.`, {
      option: 'layout',
      value: shape,
      accepted,
    });
  }
  const [height, width] = layout === 'NHWC' ? shape.slice(1, 3) : shape.slice(2);
  return isExtent(height) && isExtent(width) ? { width, height } : undefined;
}

const isExtent = (extent: number | null | undefined): extent is number =>
  typeof extent === 'number' && extent > 0;

function toModel(
  image: Image,
  [min, max]: ValueRange,
  layout: ModelLayout,
  channels: 'RGB' | 'BGR',
): tf.Tensor {
  const ordered = channels === 'BGR' ? tf.reverse(image, 2) : image;
  const batch = tf.expandDims(tf.add(tf.mul(ordered, max - min), min), 0);
  return layout === 'NCHW' ? tf.transpose(batch, [0, 3, 1, 2]) : batch;
}

/** The one tensor that a model gave. */
function single(name: string, made: unknown): tf.Tensor {
  const all = made instanceof tf.Tensor ? [made] : Object.values((made ?? {}) as object);
  if (all.length === 1 && all[0] instanceof tf.Tensor) return all[0];
  throw wrongOutput(name, `${all.length} tensors`, 'one');
}

function fromOutput(
  name: string,
  made: tf.Tensor,
  shape: Image['shape'],
  [min, max]: ValueRange,
  layout: ModelLayout,
  channels: 'RGB' | 'BGR',
): Image {
  const batch = layout === 'NCHW' && made.rank === 4 ? tf.transpose(made, [0, 2, 3, 1]) : made;
  if (!tf.util.arraysEqual(batch.shape, [1, ...shape])) {
    const [height, width] = shape;
    const accepted = `[${layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3]}], as its input`;
    throw wrongOutput(name, `a tensor [${made.shape}]`, accepted);
  }
  const image: Image = tf.reshape(batch, shape);
  const ordered: Image = channels === 'BGR' ? tf.reverse(image, 2) : image;
  return tf.clipByValue(tf.div<Image>(tf.sub(ordered, min), max - min), 0, 1);
}

function wrongOutput(name: string, found: string, accepted: string): InvalidArgumentError {
  const message = `The model ${name} gives ${found}; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_SHAPE', message, { option: 'model', value: found, accepted });
}
