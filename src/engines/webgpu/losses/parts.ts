import type { LayerName } from '../../../features/layer-name';
import type { Loss, LossTerm, StatisticTerm } from '../../../losses/loss';
import { lossOfTerms } from '../../../losses/loss-of-terms';
import { namedLeaves } from '../../../objective';
import type { Place, Stages } from '../network/network';

/** A summand of a loss as data. */
type Summand = LossTerm | (StatisticTerm & { readonly kind: 'statistic' });

/** A term that the kernels compute, with its weight in the whole loss. */
export type KernelTerm = Summand & { readonly part: string };

/** A term of one kind. */
export type TermOf<Kind extends Summand['kind']> = Extract<KernelTerm, { readonly kind: Kind }>;

/** A leaf of the loss that tfjs computes from the features of its layers. */
export interface TfjsPart {
  readonly name: string;
  readonly weight: number;
  readonly loss: Loss;
}

/** A loss, divided into what the kernels compute and what tfjs does. */
export interface Parts {
  /** Names of the leaves, in their order. */
  readonly names: readonly string[];
  readonly terms: readonly KernelTerm[];
  readonly byTfjs: readonly TfjsPart[];
  /** Number of stages up to the deepest layer. */
  readonly stageCount: number;
  /** Layers of the loss that are outputs of poolings. */
  readonly pools: ReadonlySet<LayerName>;
}

/** Divides a loss. */
export function partsOf(loss: Loss, stages: Stages): Parts {
  const leaves = namedLeaves(loss);
  const terms: KernelTerm[] = [];
  const byTfjs: TfjsPart[] = [];
  for (const { name, weight, loss: leaf } of leaves) {
    const all = summandsOf(leaf);
    const own = all.filter(isKernelTerm);
    terms.push(...own.map((term) => ({ ...term, part: name, weight: weight * term.weight })));
    if (own.length === 0) byTfjs.push({ name, weight, loss: leaf });
    else if (own.length < all.length) {
      // A Gram matrix of the image beside those of layers. These terms hold nothing that the leaf does not free.
      const others = all.filter((term): term is LossTerm => !isKernelTerm(term));
      byTfjs.push({ name, weight, loss: lossOfTerms(leaf.name, others, { held: [] }) });
    }
  }
  return { ...partsOfTerms(loss.layers, terms, stages), names: leaves.map(({ name }) => name), byTfjs };
}

/** Terms that read some layers, which are parts of no loss. */
export function partsOfTerms(
  layers: readonly LayerName[],
  terms: readonly KernelTerm[],
  stages: Stages,
): Parts {
  return {
    names: [],
    terms,
    byTfjs: [],
    stageCount: stageCountOf(stages, layers),
    pools: new Set(layers.filter((layer) => stages.places.get(layer)?.part === 'pool')),
  };
}

/** The summands of a leaf; none if it is a function only. */
function summandsOf({ terms, statistics }: Loss): readonly Summand[] {
  if (!statistics) return terms ?? [];
  const all = statistics.map((term) => ({ ...term, kind: 'statistic' as const }));
  // Statistics are not terms that could be taken apart.
  return all.every(isKernelTerm) ? all : [];
}

/** Number of stages up to the deepest of some layers. */
export const stageCountOf = ({ places }: Stages, layers: readonly LayerName[]): number =>
  1 + Math.max(-1, ...layers.map((layer) => places.get(layer)?.stage ?? -1));

/** Gram matrices and statistics of the image itself, and histograms, are left to tfjs. */
function isKernelTerm(term: Summand): boolean {
  const { kind, layer } = term;
  if (kind === 'statistic') return layer !== 'image' && term.statistic !== 'histogram';
  return kind === 'totalVariation' ? layer === 'image' : kind === 'feature' || layer !== 'image';
}

/** The stage and part of a layer that is not the image. */
export const placeOf = ({ places }: Stages, layer: LayerName): Place => places.get(layer) as Place;
