import type { Rows } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { planMemory, type Tenant } from '../runtime/memory-plan';
import { inputRows, type NeededRows, neededRows } from './band-needs';
import { extentAt, mapFloats } from './extents';
import { type FeatureMap, type Graph, inputsOf, type Operation, reductionOf } from './graph';

/** A way to compute a large image: which maps are kept as a whole, and how many rows are computed at a time. */
export interface Banding {
  /** The maps that are kept; all others are computed again, band by band, wherever they are read. */
  readonly kept: ReadonlySet<FeatureMap>;
  /** The bands of what is computed in passes of its own: kept maps, maps of a norm, and last the image. */
  readonly targets: readonly Target[];
  /** Kept maps with the targets at which they are needed. */
  readonly tenants: ReadonlyMap<FeatureMap, Tenant>;
  /** Rows of the buffer of each map that is computed again. */
  readonly buffers: ReadonlyMap<FeatureMap, number>;
  /** Bytes of all that. */
  readonly bytes: number;
}

/** Something that is computed in a pass over all bands. */
export interface Target {
  /** The operation; undefined for the image. */
  readonly operation: Operation | undefined;
  readonly bands: readonly Band[];
}

/** Rows that are computed at a time. */
export interface Band {
  readonly rows: Rows;
  /** Rows of maps that they depend on. */
  readonly needed: NeededRows;
}

/**
 * The first of the ways that fits, in order of the work that they take: the larger a map, the more memory and the less
 * work it takes to compute it again, so maps of the image's size come first; and few rows at a time are computed with
 * many around them.
 */
export function chooseBanding(graph: Graph, size: Size, room: number): Banding {
  let least: Banding | undefined;
  for (const banding of bandings(graph, size)) {
    if (banding.bytes <= room) return banding;
    if (!least || banding.bytes < least.bytes) least = banding;
  }
  return least as Banding;
}

function* bandings(graph: Graph, size: Size): Generator<Banding, void> {
  const reductions = [...new Set(graph.operations.map(({ output }) => output.reduction))].sort(
    (a, b) => a - b,
  );
  for (const reduction of reductions) {
    for (const rows of [256, 128, 64, 32])
      if (rows < size[0] || rows === 32) yield bandingOf(graph, size, reduction, rows);
  }
}

/** Maps of up to a reduction are computed again, by bands of so many rows of the image. */
function bandingOf(graph: Graph, size: Size, reduction: number, rows: number): Banding {
  const { operations, output } = graph;
  const kept = new Set(
    operations.map((operation) => operation.output).filter((map) => map.reduction > reduction),
  );
  const targets: Target[] = [];
  const bandsOf = (height: number, times: number, needs: (rows: Rows) => NeededRows): Band[] => {
    const share = Math.max(4, Math.ceil(rows / times));
    return Array.from({ length: Math.ceil(height / share) }, (_, i) => {
      const own = { from: i * share, to: Math.min(height, (i + 1) * share) };
      return { rows: own, needed: needs(own) };
    });
  };
  for (const [i, operation] of operations.entries()) {
    const map = operation.output;
    if (!kept.has(map) && !map.measured) continue;
    const bands = bandsOf(extentAt(size, map)[0], map.reduction, (own) => {
      const reads = inputsOf(operation).map((value) => ({ value, rows: inputRows(operation, own, size) }));
      const needed = neededRows(reads, operations.slice(0, i), kept, size);
      return kept.has(map) ? needed : new Map([...needed, [map, own]]);
    });
    targets.push({ operation, bands });
  }
  const height = extentAt(size, { reduction: reductionOf(output) })[0];
  const image = bandsOf(height, 1, (own) =>
    neededRows([{ value: output, rows: own }], operations, kept, size),
  );
  targets.push({ operation: undefined, bands: image });

  const tenants = new Map<FeatureMap, Tenant>();
  const buffers = new Map<FeatureMap, number>();
  for (const [time, { operation, bands }] of targets.entries()) {
    if (operation && kept.has(operation.output))
      tenants.set(operation.output, { bytes: 4 * mapFloats(size, operation.output), from: time, to: time });
    for (const { needed } of bands) {
      for (const [map, { from, to }] of needed) {
        const tenant = tenants.get(map);
        if (tenant) tenants.set(map, { ...tenant, to: time });
        else buffers.set(map, Math.max(buffers.get(map) ?? 0, to - from));
      }
    }
  }
  const whole = planMemory([...tenants.values()]).bytes;
  const bytes = [...buffers].reduce((sum, [map, count]) => sum + bufferBytes(size, map, count), whole);
  return { kept, targets, tenants, buffers, bytes };
}

/** Bytes of the buffer of some rows of a map. */
export const bufferBytes = (size: Size, map: FeatureMap, rows: number): number =>
  4 * (extentAt(size, map)[1] * map.stored * rows + 16);
