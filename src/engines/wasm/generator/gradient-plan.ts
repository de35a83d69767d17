import type { Size } from '../../shared/fitting-size';
import type { Tenant } from '../runtime/memory-plan';
import { extentAt, mapFloats } from './extents';
import { filterFloats } from './filter-gradient';
import {
  type Convolution,
  type FeatureMap,
  type Graph,
  inputsOf,
  reductionOf,
  type Term,
  type Value,
} from './graph';
import { inputPads } from './sweeps';

/** Memory that the way back needs, with its lifetimes. The way back of operation i of n is at time 2 n + 1 - i. */
export interface GradientTenants {
  /** Gradients of terms. That of a map is the one of its {@link primaryTerm}. */
  readonly terms: ReadonlyMap<Term, Tenant>;
  /** The gradient of the network's output, and of what a convolution reads with its padding. */
  readonly values: ReadonlyMap<Value, Tenant>;
  /** Sums of filter gradients. */
  readonly filters: ReadonlyMap<Convolution, Tenant>;
}

/** Plans the memory of the way back. */
export function gradientTenants(graph: Graph, size: Size): GradientTenants {
  const terms = new Map<Term, Tenant>();
  const values = new Map<Value, Tenant>();
  const filters = new Map<Convolution, Tenant>();
  const { operations, output } = graph;
  const count = operations.length;
  const timeOf = (index: number) => 2 * count + 1 - index;
  const origin = new Map(operations.map((operation, i) => [operation.output, i]));
  const read = (value: Value, time: number) => {
    for (const { term } of value) {
      if (!term.trained || terms.has(term)) continue;
      const to = timeOf(origin.get(term.map) ?? 0);
      terms.set(term, { bytes: 4 * mapFloats(size, term.map), from: time, to });
    }
  };
  values.set(output, { bytes: 4 * valueFloats(size, output, 0), from: count + 1, to: count + 1 });
  read(output, count + 1);
  for (const [i, operation] of [...operations.entries()].reverse()) {
    const time = timeOf(i);
    for (const value of inputsOf(operation)) read(value, time);
    if (operation.op !== 'convolution') continue;
    const at = { from: time, to: time };
    filters.set(operation, { bytes: 4 * filterFloats(operation, size), ...at });
    if (!operation.input.some(({ term }) => term.trained)) continue;
    const [before, behind] = inputPads(operation);
    values.set(operation.input, { bytes: 4 * valueFloats(size, operation.input, before + behind), ...at });
  }
  return { terms, values, filters };
}

/** The term whose gradient the map's is added up in: the map as it is if anything reads it so, else the first. */
export function primaryTerm(terms: Iterable<Term>, map: FeatureMap): Term | undefined {
  const own = [...terms].filter((term) => term.map === map);
  return own.find(({ norm, activation }) => !norm && !activation) ?? own[0];
}

function valueFloats(size: Size, value: Value, borders: number): number {
  const [height, width] = extentAt(size, { reduction: reductionOf(value) });
  return (height + borders) * (width + borders) * 4 * Math.ceil(value[0].term.map.channels / 4) + 16;
}
