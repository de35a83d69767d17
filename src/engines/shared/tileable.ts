import { EnvironmentError } from '../../errors';
import type { LayerName } from '../../features/layer-name';
import { leaves } from '../../losses/compose';
import type { Loss, LossTerm } from '../../losses/loss';
import { showText } from '../../options/show';
import { fittingSize, type Size } from './fitting-size';

/** The part of a loss that tiles cannot compute. */
export interface UntileablePart {
  /** Name of the part. */
  readonly name: string;
  /** The first of its layers that tiles have only rows of. */
  readonly layer: LayerName;
}

/**
 * The first part of a loss that cannot be computed by tiles, if there is one. Tiles compute terms that compare feature
 * maps or Gram matrices, and everything that reads the image alone; of other functions of a layer's whole map nothing
 * is known: custom losses, other statistics of style and patches.
 */
export function untileable(loss: Loss): UntileablePart | undefined {
  for (const { loss: leaf } of leaves(loss)) {
    const layer = (leaf.terms ?? leaf.layers.map(wholeMap)).find((part) => !isTileable(part))?.layer;
    if (layer !== undefined) return { name: leaf.name, layer };
  }
  return undefined;
}

/** A layer whose whole map a part of a loss reads. */
interface WholeMap {
  readonly kind: 'whole';
  readonly layer: LayerName;
}

const wholeMap = (layer: LayerName): WholeMap => ({ kind: 'whole', layer });

function isTileable({ kind, layer }: LossTerm | WholeMap): boolean {
  return layer === 'image' || kind === 'feature' || kind === 'gram';
}

/**
 * The error of a loss that would have to be computed by tiles and cannot be.
 *
 * @param size size of the painted image
 * @param fits whether an image of a size fits as a whole
 * @param part the part of the loss that is the reason, if it is known
 */
export function notTileable(
  [height, width]: Size,
  fits: (size: Size) => boolean,
  part?: UntileablePart,
): EnvironmentError {
  const [fittingHeight, fittingWidth] = fittingSize([height, width], fits);
  const reader = part
    ? `'${showText(part.name)}' reads ${showText(part.layer)}`
    : "a part of it reads layers other than 'image'";
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels, losses that compare feature maps or Gram matrices, or a loss of 'image' alone`;
  return new EnvironmentError(
    'NOT_TILEABLE',
    `An image of ${width} x ${height} pixels does not fit into memory as a whole, and tiles cannot compute this loss: ${reader} by a function of the whole feature map, as custom losses, other statistics than Gram matrices and patches do; accepted: ${accepted}.`,
    { option: 'loss', value: part?.name, accepted },
  );
}
