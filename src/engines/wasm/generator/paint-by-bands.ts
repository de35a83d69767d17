import type { Size } from '../../shared/fitting-size';
import type { Blocks } from '../blocks';
import { planMemory } from '../runtime/memory-plan';
import type { Steps } from '../steps';
import { type Banding, bufferBytes } from './banding';
import { extentAt } from './extents';
import { computeRows, type ForwardPass, finishNorms, outputRows } from './forward';
import type { FeatureMap } from './graph';
import { momentsBytes, type PassMemory, reserveNorms } from './pass-memory';
import { type Places, readerBytes, writeReader } from './readers';

/** What a forward pass has beside its memory. */
export type PassSettings = Omit<ForwardPass, keyof PassMemory>;

/**
 * Computes an image of which not all maps are kept, with a pause after each band. Norms are those of the whole image:
 * sums over a map are added up over all of its bands before anything reads it.
 *
 * @param image [height][width][3]
 * @returns the painted image, as large
 */
export function* paintByBands(
  settings: PassSettings,
  blocks: Blocks,
  banding: Banding,
  size: Size,
  image: Float32Array,
  conversions: { readonly input: number; readonly output: number },
): Steps<Float32Array> {
  const { engine, graph } = settings;
  const { memory } = engine;
  const { kept, targets, tenants, buffers } = banding;
  const { offsets, bytes } = planMemory([...tenants.values()]);
  const whole = blocks.allocate(bytes);
  /** Where the first row of each map lies, or would lie if that row were in its buffer. */
  const addresses = new Map([...tenants.keys()].map((map, i) => [map, whole + offsets[i]]));
  const bufferOf = new Map(
    [...buffers].map(([map, rows]) => [map, blocks.allocate(bufferBytes(size, map, rows))]),
  );
  const { norms, normOf } = reserveNorms(blocks, graph);
  const places: Places = {
    norm: normOf,
    input: conversions.input,
    image: graph.image,
    map(map: FeatureMap) {
      const [height, width] = extentAt(size, map);
      return { address: addresses.get(map) ?? 0, height, width };
    },
  };
  const readerAddress = blocks.allocate(readerBytes);
  const pass: ForwardPass = {
    ...settings,
    places,
    norms,
    moments: blocks.allocate(momentsBytes(graph, size)),
    // A band's maps lie elsewhere than those of the band before.
    reader(value) {
      writeReader(memory, readerAddress, value, places);
      return readerAddress;
    },
  };
  const rowFloats = (map: FeatureMap) => extentAt(size, map)[1] * map.stored;
  /** Makes a buffer hold rows from `from` on. Addresses are numbers of 32 bits, which wrap. */
  const move = (map: FeatureMap, from: number) =>
    addresses.set(map, ((bufferOf.get(map) ?? 0) - 4 * from * rowFloats(map)) >>> 0);

  const painted = new Float32Array(size[0] * size[1] * 3);
  const most = Math.max(...(targets.at(-1)?.bands.map(({ rows }) => rows.to - rows.from) ?? []));
  const line = blocks.allocateFloats(most * size[1] * 3 + 4);
  for (const { operation, bands } of targets) {
    let sums: Float64Array | undefined;
    for (const { rows, needed } of bands) {
      const { from, to } = needed.get(graph.image) ?? { from: 0, to: 0 };
      if (to > from) {
        move(graph.image, from);
        const row = rowFloats(graph.image);
        memory
          .floats(bufferOf.get(graph.image) ?? 0, (to - from) * row)
          .set(image.subarray(from * row, to * row));
      }
      for (const before of graph.operations) {
        const again = needed.get(before.output);
        if (before === operation) break;
        if (!again || kept.has(before.output)) continue;
        move(before.output, again.from);
        computeRows(pass, before, again);
      }
      if (operation) {
        if (!kept.has(operation.output)) move(operation.output, rows.from);
        const own = computeRows(pass, operation, rows);
        if (own) sums = own.map((sum, i) => sum + (sums?.[i] ?? 0));
      } else {
        outputRows(pass, conversions.output, line - 12 * rows.from * size[1], rows);
        const length = (rows.to - rows.from) * size[1] * 3;
        painted.set(memory.floats(line, length), rows.from * size[1] * 3);
      }
      yield;
    }
    if (operation && sums) finishNorms(pass, operation.output, sums);
  }
  return painted;
}
