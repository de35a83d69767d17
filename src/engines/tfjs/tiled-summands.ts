import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor, Features } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { NetworkStep } from '../../features/network';
import type { Loss, LossTerm } from '../../losses/loss';
import { lossOfTerms } from '../../losses/loss-of-terms';
import type { TermMask } from '../../losses/term-mask';
import { namedLeaves } from '../../objective';
import type { Band } from '../shared/bands';
import type { Size } from '../shared/fitting-size';
import { mapRows, partOf } from '../shared/map-rows';
import { requireShape } from '../shared/require-shape';
import { mapShape } from './map-bytes';

type FeatureTerm = Extract<LossTerm, { kind: 'feature' }>;
type GramTerm = Extract<LossTerm, { kind: 'gram' }>;

/** A term of a layer of the network. */
export interface Summand<Term> {
  /** Name of the part of the loss that it belongs to. */
  readonly name: string;
  /** Its own weight times those around it. */
  readonly weight: number;
  readonly term: Term;
}

/** A loss, sorted by the way in which bands compute it. */
export interface Summands {
  /** Names of the loss's parts, in order. */
  readonly names: readonly string[];
  /** Losses of the image alone, which are computed from the whole image. */
  readonly images: readonly { readonly name: string; readonly weight: number; readonly loss: Loss }[];
  readonly features: readonly Summand<FeatureTerm>[];
  readonly grams: readonly Summand<GramTerm>[];
  /** Those of `images` that were made for this, and belong to the caller. */
  readonly made: readonly Loss[];
}

/** Sorts the summands of a loss, of which tiles can compute every part. */
export function summandsOf(loss: Loss): Summands {
  const parts = namedLeaves(loss);
  const terms = parts.flatMap(({ name, weight, loss: { terms = [] } }) =>
    terms.map((term) => ({ name, weight: weight * term.weight, term })),
  );
  const deep = terms.filter(({ term }) => term.layer !== 'image');
  const made: Loss[] = [];
  const images = parts.flatMap(({ name, weight, loss: part }) => {
    if (part.layers.every((layer) => layer === 'image')) return [{ name, weight, loss: part }];
    const own = part.terms?.filter(({ layer }) => layer === 'image') ?? [];
    if (own.length === 0) return [];
    const ofImage = lossOfTerms(part.name, own, { held: [] });
    made.push(ofImage);
    return [{ name, weight, loss: ofImage }];
  });
  return {
    names: parts.map(({ name }) => name),
    images,
    made,
    features: deep.flatMap(({ term, ...rest }) => (term.kind === 'feature' ? [{ ...rest, term }] : [])),
    grams: deep.flatMap(({ term, ...rest }) => (term.kind === 'gram' ? [{ ...rest, term }] : [])),
  };
}

/** Terms that compare Gram matrices of one layer and one mask. */
export interface ComparedGram {
  readonly layer: LayerName;
  readonly mask: TermMask | undefined;
  readonly terms: readonly Summand<GramTerm>[];
}

/** Sorts terms by the Gram matrix that they compare. */
export function comparedGrams(grams: readonly Summand<GramTerm>[]): readonly ComparedGram[] {
  const found: (Omit<ComparedGram, 'terms'> & { readonly terms: Summand<GramTerm>[] })[] = [];
  for (const summand of grams) {
    const { layer, mask } = summand.term;
    const known = found.find(
      (one) =>
        one.layer === layer &&
        one.mask?.weights.dataId === mask?.weights.dataId &&
        one.mask?.mean === mask?.mean,
    );
    if (known) known.terms.push(summand);
    else found.push({ layer, mask, terms: [summand] });
  }
  return found;
}

/** Throws `WRONG_SHAPE` unless targets have the shapes of their layers at an image's size. */
export function requireTargets(
  steps: readonly NetworkStep[],
  size: Size,
  { features, grams }: Pick<Summands, 'features' | 'grams'>,
): void {
  for (const { term } of [...features, ...grams]) {
    const { layer, kind, target } = term;
    const shape = mapShape(steps, size, layer);
    if (kind === 'gram') requireShape(target, `The target of ${layer}`, [shape[3], shape[3]], layer);
    else if ('map' in target) requireShape(target.image, `The target of ${layer}`, [...size, 3], layer);
    else requireShape(target, `The target of ${layer}`, shape, layer);
  }
}

/**
 * The rows of each term's target that belong to a band, from its map or computed from the band of its image; undefined
 * where the band has none.
 */
export function targetRows(
  features: readonly Summand<FeatureTerm>[],
  extractor: Pick<FeatureExtractor, 'extract'>,
  band: Band,
): readonly (tf.Tensor4D | undefined)[] {
  const layers: readonly LayerName[] = [
    ...new Set(features.flatMap(({ term: { target, layer } }) => ('map' in target ? [layer] : []))),
  ];
  return tf.tidy(() => {
    // Targets of one image share its data, and one computation.
    const maps = new Map<object, Features>();
    const rows = features.map(({ term: { target, layer } }) => {
      const { from, to } = band.owned(layer);
      if (from === to) return undefined;
      if (!('map' in target))
        return mapRows(target, { from: band.first(layer) + from, to: band.first(layer) + to });
      const { dataId } = target.image;
      const found = maps.get(dataId) ?? extractor.extract(partOf(target.image, band), layers);
      maps.set(dataId, found);
      return mapRows(found[layer] as tf.Tensor4D, { from, to });
    });
    return rows as tf.Tensor4D[];
  });
}
