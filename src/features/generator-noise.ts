/**
 * Uniform numbers in [0,1) of a generator's noise step, the same in every engine: number i of a step is a hash of i, of
 * the step and of the seed, so that any part of a map can be computed by itself.
 *
 * @param step index of the step in its network
 * @param length how many numbers of the map, whose number i = (row * width + column) * channels + channel
 * @param from index of the first
 */
export function noiseValues(seed: number, step: number, length: number, from = 0): Float32Array<ArrayBuffer> {
  const key = noiseKey(seed, step);
  const values = new Float32Array(length);
  // The upper 24 bits are all that a float32 below 1 can hold.
  for (let i = 0; i < length; i++) values[i] = (hash((from + i) ^ key) >>> 8) / 2 ** 24;
  return values;
}

/** The 32 bits that number i of a step is combined with by exclusive or, before it is hashed. */
export const noiseKey = (seed: number, step: number): number => hash(hash(seed | 0) + step + 1);

/** A bijection of 32-bit integers whose every output bit depends on every input bit (C. Wellons, "lowbias32"). */
function hash(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
