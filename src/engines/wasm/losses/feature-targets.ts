import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../../../features/layer-name';
import type { Image } from '../../../image/image';
import type { LossTerm } from '../../../losses/loss';
import { rowValues } from '../../../tensor-rows';
import type { Band } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { requireShape } from '../../shared/require-shape';
import { Blocks } from '../blocks';
import type { Network } from '../network/network';
import { type FeatureMap, Pass, rowBytes, rowsOf } from '../network/pass';
import { layerShape } from '../network/pass-plan';
import type { FeatureLossTerm, FeatureTarget } from './terms';
import { type FeatureRequest, targetBytes } from './tiling';

/** A target that is computed from an image. */
interface FromImage {
  readonly layer: LayerName;
  readonly image: Image;
  /** Address of the target at rows of the map. */
  readonly to: (map: FeatureMap) => number;
}

/**
 * The targets of an objective that have the size of feature maps: whole, or made anew for each band from the tensor
 * or the image that they are given by.
 */
export class FeatureTargets {
  /** Terms that compare a layer with the same numbers share a target. */
  private readonly known: {
    readonly layer: LayerName;
    readonly dataId: object;
    readonly target: FeatureTarget;
  }[] = [];
  private readonly fromImages: FromImage[] = [];
  private readonly blocks: Blocks;

  constructor(
    private readonly network: Network,
    private readonly size: Size,
    private readonly bands: readonly Band[],
    private readonly held: boolean,
  ) {
    this.blocks = new Blocks(network.engine.memory);
  }

  /** Floats of a layer's whole map, and of the rows of it that a band owns at most. */
  lengths(layer: LayerName): { readonly length: number; readonly most: number } {
    const [, height, width, channels] = layerShape(this.network, this.size, layer);
    const most = Math.max(
      ...this.bands.map((band) => {
        const { from, to } = band.owned(layer);
        return to - from;
      }),
    );
    return { length: height * width * channels, most: most * width * channels };
  }

  /**
   * The target of a term, in memory that the term's objective owns.
   * @throws InvalidArgumentError `WRONG_SHAPE` if it does not have the shape of its layer
   */
  of({ layer, target }: FeatureLossTerm): FeatureTarget {
    const dataId = dataIdOf(target);
    const known = this.known.find((one) => one.layer === layer && one.dataId === dataId);
    if (known) return known.target;
    const made = this.make(layer, target);
    this.known.push({ layer, dataId, target: made });
    return made;
  }

  private make(layer: LayerName, target: FeatureLossTerm['target']): FeatureTarget {
    const { held } = this;
    const { memory } = this.network.engine;
    const { length, most } = this.lengths(layer);
    const shape = layerShape(this.network, this.size, layer);
    const what = `The target of ${layer}`;
    const address = this.blocks.allocate(targetBytes(held ? length : most));
    const to = held
      ? (map: FeatureMap) => address + (map.first ?? 0) * rowBytes({ ...map, fromImage: false })
      : () => address;
    if (!(target instanceof tf.Tensor) && layer !== 'image') {
      requireShape(target.image, what, [...this.size, 3], layer);
      this.fromImages.push({ layer, image: target.image, to });
      return { at: to };
    }
    const [tensor, expected] = target instanceof tf.Tensor ? [target, shape] : [target.image, shape.slice(1)];
    requireShape(tensor, what, expected, layer);
    const put = (rows: Float32Array) => memory.floats(address, rows.length).set(rows);
    if (held) put(tensor.dataSync<'float32'>());
    return {
      at(map) {
        if (!held) put(rowsOfTensor(tensor, map.first ?? 0, map.height));
        return to(map);
      },
    };
  }

  /**
   * Computes the targets that are held and given by images.
   * @param room address of memory for passes
   */
  fill(room: number): void {
    if (this.held) for (const band of this.bands) this.compute(band, room);
  }

  /**
   * Computes the targets of a band that are given by images, unless they are held.
   * @param room address of memory for passes
   */
  renew(band: Band, room: number): void {
    if (!this.held) this.compute(band, room);
  }

  /** Frees the memory. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }

  private compute(band: Band, room: number): void {
    const { network, fromImages } = this;
    const { memory } = network.engine;
    const { from, to } = band.rows;
    for (const { dataId } of new Map(fromImages.map(({ image }) => [image.dataId, image])).values()) {
      const wanted = fromImages.filter(({ image }) => image.dataId === dataId);
      const layers = [...new Set(wanted.map(({ layer }) => layer))];
      const pass = new Pass(
        network,
        to - from,
        this.size[1],
        { layers, backward: 'never' },
        { address: room },
      );
      pass.forward(rowsOfTensor(wanted[0].image, from, to - from), (layer, map) => {
        const rows = rowsOf(map, band.owned(layer), band.first(layer));
        const length = rows.height * rows.width * rows.channels;
        for (const target of wanted) {
          if (target.layer !== layer) continue;
          const values = memory.floats(target.to(rows), length);
          values.set(memory.floats(rows.address, length));
          if (rows.relu) for (let i = 0; i < length; i++) values[i] = Math.max(0, values[i]);
        }
      });
    }
  }
}

/** The targets of terms, those that are shared once. */
export function targetsOf(terms: readonly LossTerm[]): readonly FeatureRequest[] {
  const found: { readonly request: FeatureRequest; readonly dataId: object }[] = [];
  for (const term of terms) {
    if (term.kind !== 'feature') continue;
    const { layer, target } = term;
    const dataId = dataIdOf(target);
    if (found.some(({ request, dataId: known }) => request.layer === layer && known === dataId)) continue;
    found.push({ request: { layer, fromImage: !(target instanceof tf.Tensor) }, dataId });
  }
  return found.map(({ request }) => request);
}

/** Identifies the numbers of a target: clones of a tensor have the same. */
const dataIdOf = (target: FeatureLossTerm['target']): object =>
  (target instanceof tf.Tensor ? target : target.image).dataId;

/** Numbers of some rows of a feature map or an image, [1, h, w, c] or [h, w, c]. */
function rowsOfTensor(tensor: tf.Tensor, first: number, rows: number): Float32Array {
  if (tensor.rank === 3) return rowValues(tensor, first, rows);
  const map = tf.squeeze(tensor, [0]);
  try {
    return rowValues(map, first, rows);
  } finally {
    map.dispose();
  }
}
