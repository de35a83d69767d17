import * as tf from '@tensorflow/tfjs-core';
import { greyOf, matchGrey, withChromaOf } from '../color/luminance';
import { transferColor } from '../color/transfer-color';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';
import type { Owner } from '../owning';
import { atSize } from './at-size';
import type { ColorChoice } from './color';
import type { WeightedStyle } from './styles';

/** Images of a run, at the size of its last stage. */
export interface RunImages {
  readonly content: Image;
  readonly styles: readonly WeightedStyle[];
  /** Of runs in grey. */
  readonly chroma?: Chroma | undefined;
}

/**
 * The images of a run with their colours moved as `color` says, see {@link ColorChoice}. Loaded when first needed.
 *
 * @param images remain the caller's; of `'content'`, until the run ends
 * @param owner frees the new images
 * @throws the signal's reason once it is aborted
 */
export async function moveColors(
  color: Exclude<ColorChoice, 'style'>,
  { content, styles }: RunImages,
  { temporary }: Owner,
  signal: AbortSignal | undefined,
): Promise<RunImages> {
  const eachStyle = async (move: (image: Image) => Image | Promise<Image>) => {
    const moved: WeightedStyle[] = [];
    for (const { weight, image, file } of styles)
      moved.push(file ? { weight, file } : { weight, image: temporary(await move(image)) });
    return moved;
  };
  if (color !== 'content')
    return {
      content,
      styles: await eachStyle((image) => transferColor(image, content, { method: color, signal })),
    };
  const grey = temporary(greyOf(content));
  return {
    content: grey,
    styles: await eachStyle((image) => tf.tidy(() => matchGrey(greyOf(image), grey))),
    chroma: temporary(new Chroma(content)),
  };
}

/** The content's chroma, for images painted in grey. */
export class Chroma {
  private readonly contents = new Map<string, Image>();

  /** @param content remains the caller's, who keeps it until {@link dispose} */
  constructor(private readonly content: Image) {}

  /** Makes ready for images of a size. */
  async prepare({ width, height }: Size): Promise<void> {
    const key = keyOf([height, width]);
    if (!this.contents.has(key))
      this.contents.set(key, await atSize('content', this.content, { width, height }));
  }

  /** A painted image with the content's chroma, which belongs to the caller. @param painted of a size made ready */
  restore(painted: Image): Image {
    return withChromaOf(painted, this.contents.get(keyOf(painted.shape)) as Image);
  }

  /** An image in grey, to start from. It belongs to the caller. */
  grey(image: Image): Image {
    return greyOf(image);
  }

  dispose(): void {
    tf.dispose([...this.contents.values()]);
    this.contents.clear();
  }
}

const keyOf = ([height, width]: readonly number[]) => `${width}x${height}`;
