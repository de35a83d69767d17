import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor, Features } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { NetworkStep } from '../../features/network';
import type { Image } from '../../image/image';
import { distanceGradient, gramDistanceOf, weightedSum } from '../../losses/distance';
import { gramGradient, gramScale } from '../../losses/gram-matrix';
import type { Loss } from '../../losses/loss';
import { type PositionWeights, positionWeights } from '../../losses/pooled-mask';
import type { TermMask } from '../../losses/term-mask';
import { type Objective, valueAndCotangents } from '../../objective';
import { freeAll, Lifetime, owning } from '../../owning';
import { addAll } from '../../sums';
import type { Band } from '../shared/bands';
import type { Size } from '../shared/fitting-size';
import { mapRows, partOf } from '../shared/map-rows';
import { requireShape } from '../shared/require-shape';
import { bandProducts, weightRows } from './band-products';
import { GradientSum, matrixOf } from './band-rows';
import { mapShape } from './map-bytes';
import { comparedGrams, requireTargets, summandsOf, targetRows } from './tiled-summands';

/** A network and the bands by which it is computed. */
export interface Tiling {
  readonly steps: readonly NetworkStep[];
  readonly extractor: Pick<FeatureExtractor, 'extract' | 'linearize'>;
  readonly bands: readonly Band[];
  /** Whether targets given by an image are computed once and held, or at every evaluation. */
  readonly keepTargets: boolean;
}

/** A summand's value, with its weight, and the name of the part of the loss that it belongs to. */
interface Value {
  readonly name: string;
  readonly value: tf.Scalar;
}

/** The derivative of a loss by the inner products of a layer's channels. */
interface Slope {
  readonly gradient: tf.Tensor2D;
  /** The weights of the positions that were summed over. */
  readonly weights: tf.Tensor3D | undefined;
}

/** The derivatives of a loss by the inner products of each layer's channels. */
type Slopes = Readonly<Partial<Record<LayerName, readonly Slope[]>>>;

/**
 * An objective that computes the network on one band of the image after another. A first pass adds up the Gram matrices
 * of the bands' own rows; a second adds the gradients that own rows send back to the pixels of their band. Value and
 * gradient are those of the whole image to rounding.
 *
 * @param loss one of which tiles can compute every part
 * @returns an objective, which belongs to the caller
 * @throws InvalidArgumentError `WRONG_SHAPE` if a target does not have the shape of its layer at this size
 */
export function tiledObjective(loss: Loss, size: Size, tiling: Tiling): Objective {
  const { extractor, bands, steps } = tiling;
  const [height, width] = size;
  const layers = loss.layers.filter((layer) => layer !== 'image');
  const lifetime = new Lifetime('The objective');
  return owning(({ result }): Objective => {
    const { names, images, features, grams, made } = summandsOf(loss);
    requireTargets(steps, size, { features, grams });
    const kept = tiling.keepTargets
      ? bands.map((band) =>
          result(targetRows(features, extractor, band).map((rows) => rows && tf.keep(rows))),
        )
      : undefined;
    /** Gram matrices that terms compare, those of one layer and mask once. */
    const compared = comparedGrams(grams);

    const weightsAt = (layer: LayerName, mask: TermMask | undefined): PositionWeights | undefined => {
      const [, h, w] = mapShape(steps, size, layer);
      return mask && positionWeights(mask, h, w);
    };

    /** Values of Gram terms, and the derivatives of their sum by the inner products of each layer's channels. */
    function gramParts(image: Image): { values: Value[]; slopes: Slopes } {
      const values: Value[] = [];
      const slopes: Partial<Record<LayerName, Slope[]>> = {};
      const weights = compared.map(({ layer, mask }) => weightsAt(layer, mask));
      const wanted = compared.map(({ layer }, i) => ({ layer, weights: weights[i]?.weights }));
      const products = bandProducts(extractor, image, wanted, bands);
      for (const [i, { layer, terms }] of compared.entries()) {
        const shape = mapShape(steps, size, layer);
        const ratio = weights[i]?.ratio;
        const scaled = (x: tf.Tensor): tf.Tensor => (ratio ? tf.mul(x, ratio) : x);
        const parts = terms.map(({ name, weight, term: { distance, target, normalization } }) => {
          const scale = gramScale(shape, normalization);
          const { value, slope } = gramDistanceOf(scaled(tf.mul(products[i], scale)), target, distance);
          values.push({ name, value: tf.mul(value, weight) });
          return scaled(tf.mul(slope, weight * scale)) as tf.Tensor2D;
        });
        const gradient = parts.reduce((a, b) => tf.add<tf.Tensor2D>(a, b));
        slopes[layer] = [...(slopes[layer] ?? []), { gradient, weights: wanted[i].weights }];
      }
      return { values, slopes };
    }

    /** The gradient that a layer's own rows of a band have, as a map of the band, and values of feature terms. */
    function cotangentOf(
      layer: LayerName,
      map: tf.Tensor4D,
      band: Band,
      targets: readonly (tf.Tensor4D | undefined)[],
      slopes: readonly Slope[],
    ): { values: Value[]; cotangent: tf.Tensor4D } {
      const owned = band.owned(layer);
      const own = mapRows(map, owned);
      const values: Value[] = [];
      const gradients: tf.Tensor[] = [];
      for (const [i, { name, weight, term }] of features.entries()) {
        const target = targets[i];
        if (term.layer !== layer || !target) continue;
        const share = 1 / tf.util.sizeFromShape(mapShape(steps, size, layer));
        const difference = tf.sub(own, target);
        const gradient = tf.mul(distanceGradient(difference, term.distance), weight * share);
        const mask = weightsAt(layer, term.mask);
        if (!mask) {
          values.push({ name, value: tf.mul(weightedSum(difference, term.distance, share), weight) });
          gradients.push(gradient);
          continue;
        }
        const weights = weightRows(mask.weights, owned, band.first(layer));
        const value = tf.mul(weightedSum(difference, term.distance, share, weights), mask.ratio);
        values.push({ name, value: tf.mul(value, weight) });
        gradients.push(tf.mul(tf.mul(gradient, weights), mask.ratio));
      }
      for (const { gradient, weights } of slopes) {
        const product = tf.reshape(gramGradient(matrixOf(own), gradient, 1), own.shape);
        gradients.push(weights ? tf.mul(product, weightRows(weights, owned, band.first(layer))) : product);
      }
      const rows: [number, number] = [owned.from, map.shape[1] - owned.to];
      return { values, cotangent: tf.pad(addAll(gradients), [[0, 0], rows, [0, 0], [0, 0]]) as tf.Tensor4D };
    }

    /** Values of feature terms at a band's own rows, and the gradient that all of its own rows send to its pixels. */
    function bandParts(
      image: Image,
      band: Band,
      targets: readonly (tf.Tensor4D | undefined)[],
      slopes: Slopes,
    ): { values: Value[]; gradient: Image } {
      const linearization = extractor.linearize(partOf(image, band), layers);
      const owning = layers.filter((layer) => band.owned(layer).from < band.owned(layer).to);
      const parts = owning.map((layer) => {
        const map = linearization.features[layer] as tf.Tensor4D;
        return tidied(() => cotangentOf(layer, map, band, targets, slopes[layer] ?? []));
      });
      const cotangents = Object.fromEntries(
        owning.map((layer, i) => [layer, parts[i].cotangent]),
      ) as Features;
      return { values: parts.flatMap(({ values }) => values), gradient: linearization.pullback(cotangents) };
    }

    /** Values and gradients of what reads the image alone. */
    function imageParts(image: Image): { values: Value[]; gradients: tf.Tensor[] } {
      const found = images.map(({ name, weight, loss: part }) =>
        tidied(() => {
          const { value, gradients } = valueAndCotangents(part, {
            image: tf.expandDims<tf.Tensor4D>(image, 0),
          });
          return {
            name,
            value: tf.mul<tf.Scalar>(value, weight),
            gradient: tf.reshape(tf.mul(gradients.image as tf.Tensor, weight), image.shape),
          };
        }),
      );
      return { values: found, gradients: found.map(({ gradient }) => gradient) };
    }

    return {
      evaluate(image) {
        lifetime.requireAlive();
        requireShape(image, 'The image', [height, width, 3], 'image');
        return tidied(() => {
          const own = imageParts(image);
          const { values, slopes } = tidied(() => gramParts(image));
          const gradient = new GradientSum();
          for (const [i, band] of bands.entries()) {
            const part = tidied(() =>
              bandParts(image, band, kept?.[i] ?? targetRows(features, extractor, band), slopes),
            );
            values.push(...part.values);
            gradient.add(band.rows, part.gradient);
          }
          values.push(...own.values);
          const terms = Object.fromEntries(
            names.map((name) => [
              name,
              addAll<tf.Scalar>(values.filter((part) => part.name === name).map(({ value }) => value)),
            ]),
          );
          return {
            value: addAll<tf.Scalar>(Object.values(terms)),
            gradient: addAll<Image>([gradient.total(height), ...(own.gradients as Image[])]),
            terms,
          };
        });
      },
      dispose() {
        if (lifetime.end()) freeAll([...made, ...(kept ?? [])]);
      },
    };
  });
}

/** `tf.tidy` for records of records. */
const tidied = <T>(work: () => T): T => tf.tidy(work as () => tf.TensorContainer) as T;
