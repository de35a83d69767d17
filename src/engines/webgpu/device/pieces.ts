/// <reference types="@webgpu/types" />
import type { Command, Cost, Gpu, Grid, Slice } from './gpu';

/** Memory that is needed by some of a list of commands, and gets its place when these are known. */
export class Piece {
  constructor(
    readonly label: string,
    readonly bytes: number,
  ) {}
}

/**
 * Numbers that a kernel reads as `shape` (see `declare`), so that its source, which is compiled, holds for all of them:
 * whole ones, and floats as {@link bitsOf}; four, or several times four.
 */
export class Shape {
  readonly numbers: readonly number[];

  constructor(...numbers: number[]) {
    this.numbers = numbers;
  }
}

/** A float as a whole number of a {@link Shape}: `bitcast<f32>` makes it a float again. */
export const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];

/** What a kernel of a {@link Draft} is bound to. */
export type Binding = Slice | Piece | Shape;

/** Bytes that kernels read or write through bindings, each once: what workgroups read again is in caches. */
export const bytesOf = (bindings: readonly Binding[]): number =>
  bindings.reduce((sum, binding) => {
    if (binding instanceof Shape) return sum;
    if (binding instanceof Piece) return sum + binding.bytes;
    return sum + (binding.size ?? binding.buffer.size - (binding.offset ?? 0));
  }, 0);

/** A command whose memory has no place yet. */
export interface Draft {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly grid: Grid;
  readonly cost?: Cost | undefined;
}

/** A point between commands at which something else reads or writes pieces. */
export interface Pause {
  readonly pieces: readonly Piece[];
}

/** The buffers that the pieces of a list of commands share. */
export interface Shelves {
  /** Bytes of each buffer. */
  readonly sizes: readonly number[];
  /** The buffer of a piece, by index. */
  readonly of: ReadonlyMap<Piece, number>;
}

/**
 * Lets pieces that are never needed at the same time share a buffer: the largest first, each in the first buffer that
 * is large enough and free throughout the piece's life. Buffers as a whole, not offsets into one, because WebGPU
 * refuses a dispatch that reads and writes one buffer, wherever the ranges lie.
 */
export function planShelves(plan: readonly (Draft | Pause)[]): Shelves {
  const lives = new Map<Piece, { readonly from: number; readonly to: number }>();
  for (const [i, item] of plan.entries())
    for (const piece of isDraft(item) ? item.bindings : item.pieces)
      if (piece instanceof Piece) lives.set(piece, { from: lives.get(piece)?.from ?? i, to: i });
  const shelves: { readonly size: number; readonly taken: { from: number; to: number }[] }[] = [];
  const of = new Map<Piece, number>();
  for (const [piece, life] of [...lives].sort(([a], [b]) => b.bytes - a.bytes)) {
    const isFree = ({ size, taken }: (typeof shelves)[number]) =>
      size >= piece.bytes && taken.every(({ from, to }) => to < life.from || life.to < from);
    const found = shelves.findIndex(isFree);
    const index = found >= 0 ? found : shelves.push({ size: piece.bytes, taken: [] }) - 1;
    shelves[index].taken.push(life);
    of.set(piece, index);
  }
  return { sizes: shelves.map(({ size }) => size), of };
}

/** Commands with their memory. */
export interface Placed {
  /** The commands before, between and behind pauses. */
  readonly phases: readonly (readonly Command[])[];
  /** Where a piece lies. */
  slice(piece: Piece): Slice;
  /** Destroys the buffers. */
  dispose(): void;
}

/** Makes the buffers of a plan. */
export function placePieces(gpu: Gpu, plan: readonly (Draft | Pause)[], { sizes, of }: Shelves): Placed {
  const buffers = sizes.map((bytes, i) => gpu.buffer(bytes, `maps ${i}`));
  const slice = (piece: Piece): Slice => ({
    buffer: buffers[of.get(piece) as number],
    size: piece.bytes,
  });
  const shapes = placeShapes(gpu, plan);
  if (shapes.buffer) buffers.push(shapes.buffer);
  const place = (binding: Binding): Slice => {
    if (binding instanceof Piece) return slice(binding);
    return binding instanceof Shape ? shapes.slice(binding) : binding;
  };
  const phases: Command[][] = [[]];
  for (const item of plan) {
    if (!isDraft(item)) phases.push([]);
    else phases.at(-1)?.push({ ...item, bindings: item.bindings.map(place) });
  }
  return {
    phases,
    slice,
    dispose() {
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

/** Puts the shapes of a plan into one buffer, equal ones once. */
function placeShapes(gpu: Gpu, plan: readonly (Draft | Pause)[]) {
  const places = new Map<string, number>();
  const numbers: number[] = [];
  for (const { numbers: own } of plan.flatMap((item) =>
    isDraft(item) ? item.bindings.filter(isShape) : [],
  )) {
    if (places.has(`${own}`)) continue;
    places.set(`${own}`, numbers.length);
    numbers.push(...own);
    // Bindings begin at multiples of 256 bytes.
    while (numbers.length % 64 > 0) numbers.push(0);
  }
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = numbers.length > 0 ? gpu.put(Uint32Array.from(numbers), 'shapes', usage) : undefined;
  return {
    buffer,
    slice: ({ numbers: own }: Shape): Slice => ({
      buffer: buffer as GPUBuffer,
      offset: 4 * (places.get(`${own}`) as number),
      size: 16 * Math.ceil(own.length / 4),
    }),
  };
}

const isShape = (binding: Binding): binding is Shape => binding instanceof Shape;

const isDraft = (item: Draft | Pause): item is Draft => 'code' in item;
