/** A piece of memory with its lifetime: the first and the last step of a computation that need it. */
export interface Tenant {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** Offset of each tenant in one piece of memory, and the length of that piece. */
export interface Placement {
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Offsets are multiples of a cache line. */
const alignment = 64;

/**
 * Places tenants so that none shares memory with another that is needed at the same time: the largest first, each at
 * the lowest place that is free throughout its time.
 */
export function planMemory(tenants: readonly Tenant[]): Placement {
  const offsets = tenants.map(() => 0);
  const order = tenants.map((_, i) => i).sort((a, b) => tenants[b].bytes - tenants[a].bytes || a - b);
  const placed: number[] = [];
  for (const i of order) {
    const { bytes, from, to } = tenants[i];
    const neighbours = placed
      .filter((j) => tenants[j].from <= to && from <= tenants[j].to)
      .sort((a, b) => offsets[a] - offsets[b]);
    let offset = 0;
    for (const j of neighbours) {
      if (offset + bytes <= offsets[j]) break;
      offset = Math.max(offset, aligned(offsets[j] + tenants[j].bytes));
    }
    offsets[i] = offset;
    placed.push(i);
  }
  return { offsets, bytes: Math.max(0, ...tenants.map(({ bytes }, i) => offsets[i] + bytes)) };
}

const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment;
