import type { LayerName } from '../../../features/layer-name';
import type { Loss, LossTerm } from '../../../losses/loss';
import { namedLeaves } from '../../../objective';
import type { Place, Stages } from '../network/network';

/** A term that the kernels compute, with its weight in the whole loss. */
export type KernelTerm = LossTerm & { readonly part: string };

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
}

/** Divides a loss; undefined if it reads a layer that no kernel leaves in memory: the output of a pooling. */
export function partsOf(loss: Loss, stages: Stages): Parts | undefined {
  const isKnown = (layer: LayerName) => layer === 'image' || stages.places.has(layer);
  if (!loss.layers.every(isKnown)) return undefined;
  const leaves = namedLeaves(loss);
  const terms: KernelTerm[] = [];
  const byTfjs: TfjsPart[] = [];
  for (const { name, weight, loss: leaf } of leaves) {
    if (leaf.terms?.every((term) => isKernelTerm(term)))
      terms.push(...leaf.terms.map((term) => ({ ...term, part: name, weight: weight * term.weight })));
    else byTfjs.push({ name, weight, loss: leaf });
  }
  const deepest = loss.layers.map((layer) => stages.places.get(layer)?.stage ?? -1);
  return { names: leaves.map(({ name }) => name), terms, byTfjs, stageCount: 1 + Math.max(-1, ...deepest) };
}

/** Terms with masks, and Gram matrices of the image itself, are left to tfjs. */
function isKernelTerm({ kind, layer, mask }: LossTerm): boolean {
  if (mask) return false;
  return kind === 'totalVariation' ? layer === 'image' : kind === 'feature' || layer !== 'image';
}

/** The stage and part of a layer that is not the image. */
export const placeOf = ({ places }: Stages, layer: LayerName): Place => places.get(layer) as Place;
