import type { Size } from '../../shared/fitting-size';
import type { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import { planMemory, type Tenant } from '../runtime/memory-plan';
import { extentAt, mapFloats } from './extents';
import { normFloats } from './forward';
import { gradientTenants } from './gradient-plan';
import {
  type Convolution,
  type FeatureMap,
  type Graph,
  inputsOf,
  type Norm,
  type Term,
  type Value,
} from './graph';
import { type Places, readerBytes, writeReader } from './readers';
import { sweepItems } from './run-sweep';
import { forwardSweeps } from './sweeps';

/** The stored maps with the first and the last operation that need them. */
export function mapTenants(
  { image, operations, output }: Graph,
  size: Size,
  keep: boolean,
): Map<FeatureMap, Tenant> {
  const end = operations.length;
  const tenants = new Map<FeatureMap, Tenant>();
  // The way back of operation i needs its map last.
  const place = (map: FeatureMap, from: number) =>
    tenants.set(map, { bytes: 4 * mapFloats(size, map), from, to: keep ? 2 * end + 1 - from : from });
  const read = (value: Value, at: number) => {
    for (const { term } of value) {
      const tenant = tenants.get(term.map);
      if (tenant) tenants.set(term.map, { ...tenant, to: Math.max(tenant.to, at) });
    }
  };
  place(image, 0);
  for (const [i, operation] of operations.entries()) {
    for (const value of inputsOf(operation)) read(value, i);
    place(operation.output, i);
  }
  read(output, end);
  return tenants;
}

/** Every norm of a graph. */
export function normsOf({ operations, output }: Graph): readonly Norm[] {
  const values = [...operations.flatMap(inputsOf), output];
  const norms = values.flat().flatMap(({ term }) => (term.norm ? [term.norm] : []));
  return [...new Set(norms)];
}

/** Bytes for the sums over any map. */
export function momentsBytes({ operations }: Graph, size: Size): number {
  const bytes = operations.map((operation) => {
    const { output } = operation;
    const items =
      operation.op === 'convolution'
        ? forwardSweeps(operation).map((sweep) =>
            sweepItems(sweep, extentAt(size, output), operation.input[0].term.map.stored, output.stored),
          )
        : [];
    return (
      16 *
      output.stored *
      Math.max(
        16,
        items.reduce((sum, count) => sum + count, 0),
      )
    );
  });
  return Math.max(64, ...bytes);
}

/** Memory of a pass over images of a size: its maps, and the small things. */
export interface PassMemory {
  readonly places: Places;
  readonly moments: number;
  reader(value: Value): number;
  norms(map: FeatureMap): readonly Norm[];
  /** Address of memory of the way back. */
  gradientOf(what: Term | Value | Convolution): number;
}

/** All memory that has a lifetime. */
function allTenants(graph: Graph, size: Size, gradients: boolean): Map<object, Tenant> {
  const maps = mapTenants(graph, size, gradients);
  if (!gradients) return new Map(maps);
  const { terms, values, filters } = gradientTenants(graph, size);
  return new Map<object, Tenant>([...maps, ...terms, ...values, ...filters]);
}

/** Bytes of a pass, with or without the way back. */
export function passBytes(graph: Graph, size: Size, gradients: boolean): number {
  const maps = planMemory([...allTenants(graph, size, gradients).values()]).bytes;
  // The image or its gradient, and the small things.
  return maps + 12 * size[0] * size[1] + momentsBytes(graph, size) + 2 ** 20;
}

/** Reserves the memory of norms. */
export function reserveNorms(
  blocks: Blocks,
  graph: Graph,
): Pick<PassMemory, 'norms'> & { normOf: Places['norm'] } {
  const all = normsOf(graph);
  const addresses = new Map(all.map((norm) => [norm, blocks.allocateFloats(normFloats(norm.map))]));
  return {
    norms: (map) => all.filter((norm) => norm.map === map),
    normOf: (norm) => addresses.get(norm) ?? 0,
  };
}

/** Reserves the memory of a pass. @param input address of what converts the image to the network's input */
export function reservePass(
  { memory }: KernelRunner,
  blocks: Blocks,
  graph: Graph,
  size: Size,
  gradients: boolean,
  input: number,
): PassMemory {
  const tenants = allTenants(graph, size, gradients);
  const { offsets, bytes } = planMemory([...tenants.values()]);
  const address = blocks.allocate(bytes);
  const addresses = new Map([...tenants.keys()].map((tenant, i) => [tenant, address + offsets[i]]));
  const { norms, normOf } = reserveNorms(blocks, graph);
  const places: Places = {
    map: (map) => {
      const [height, width] = extentAt(size, map);
      return { address: addresses.get(map) ?? 0, height, width };
    },
    norm: normOf,
    input,
    image: graph.image,
  };
  const readers = new Map<Value, number>();
  return {
    places,
    moments: blocks.allocate(momentsBytes(graph, size)),
    reader(value) {
      const found = readers.get(value);
      if (found !== undefined) return found;
      const made = blocks.allocate(readerBytes);
      writeReader(memory, made, value, places);
      readers.set(value, made);
      return made;
    },
    norms,
    gradientOf: (what) => addresses.get(what) ?? 0,
  };
}
