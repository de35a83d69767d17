import { noiseValues } from '../../../features/generator-noise';
import type { Rows } from '../../shared/bands';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { Convolution, FeatureMap, Graph, Join, Noise, Norm, Operation, Pool, Value } from './graph';
import { extentOf, type Places, periodOf } from './readers';
import { runSweep } from './run-sweep';
import type { GeneratorWeights } from './weights';

/** What the forward pass of a network works with. */
export interface ForwardPass {
  readonly engine: KernelRunner;
  readonly graph: Graph;
  readonly weights: GeneratorWeights;
  readonly places: Places;
  /** Address of a reader of a value. */
  reader(value: Value): number;
  /** Norms of a map. */
  norms(map: FeatureMap): readonly Norm[];
  /** Memory for the sums over a map. */
  readonly moments: number;
  /** Seed of noise. */
  readonly seed: number;
  /**
   * Whether convolutions may be Winograd's. Their filters are transformed once for many images; in training, where they
   * change with each, that would take the time that they spare.
   */
  readonly winograd: boolean;
}

/** Computes the map of an operation, and the norms that read it. */
export function computeOperation(pass: ForwardPass, operation: Operation): void {
  const { output } = operation;
  const sums = computeRows(pass, operation, { from: 0, to: pass.places.map(output).height });
  if (sums) finishNorms(pass, output, sums);
}

/**
 * Computes rows of the map of an operation.
 * @returns sums and sums of squares over these rows by channel, if a norm needs them
 */
export function computeRows(pass: ForwardPass, operation: Operation, rows: Rows): Float64Array | undefined {
  if (operation.op === 'convolution') return convolve(pass, operation, rows);
  if (operation.op === 'join') join(pass, operation, rows);
  else if (operation.op === 'pool') pool(pass, operation, rows);
  else fillWithNoise(pass, operation, rows);
  const { output } = operation;
  return output.measured ? measure(pass, output, rows) : undefined;
}

/**
 * Computes rows of the image from the network's output.
 *
 * @param conversion address of the factors and summands of R, G, B
 * @param to address of the first row of the whole image
 */
export function outputRows(pass: ForwardPass, conversion: number, to: number, { from, to: end }: Rows): void {
  const { output } = pass.graph;
  needLine(pass, output);
  pass.engine.run('generatorOutput', [pass.reader(output), from, to, conversion], end - from);
}

/** Makes sure that a thread's scratch memory takes a row of a value. */
export function needLine({ engine, places }: ForwardPass, value: Value): void {
  engine.needScratch((extentOf(value, places).width + 4) * value[0].term.map.stored * 4);
}

function convolve(pass: ForwardPass, convolution: Convolution, rows: Rows): Float64Array | undefined {
  const { engine, weights, places } = pass;
  const { output, input } = convolution;
  const { address, height, width } = places.map(output);
  const { sweeps, bias } = weights.forward(convolution);
  const filters = pass.winograd && height * width >= leastPixels ? weights.winograd(convolution) : undefined;
  let items = 0;
  for (const sweep of sweeps) {
    const run = {
      sweep,
      reader: pass.reader(input),
      channelsIn: input[0].term.map.stored,
      output: address,
      height,
      width,
      channels: output.stored,
      bias,
      moments: output.measured ? pass.moments + items * 16 * output.stored : 0,
      rows,
    };
    items += runSweep(engine, run, filters);
  }
  return output.measured ? addUp(pass, 2 * output.stored, items) : undefined;
}

/** Pixels of a map from which on Winograd's convolution spares more than it costs. */
const leastPixels = 1024;

function join(pass: ForwardPass, { inputs, output }: Join, { from, to }: Rows): void {
  const { engine, places } = pass;
  const { address } = places.map(output);
  let first = 0;
  for (const value of inputs) {
    const { channels } = value[0].term.map;
    needLine(pass, value);
    const args = [pass.reader(value), from, address, output.stored, first, channels];
    engine.run('generatorStore', args, to - from);
    first += channels;
  }
}

function pool(pass: ForwardPass, { input, output, factor }: Pool, { from, to }: Rows): void {
  const { address } = pass.places.map(output);
  needLine(pass, input);
  pass.engine.run('generatorPool', [pass.reader(input), from, address, output.stored, factor], to - from);
}

function fillWithNoise(
  { engine, places, seed }: ForwardPass,
  { step, output }: Noise,
  { from, to }: Rows,
): void {
  const { address, width } = places.map(output);
  const { channels, stored } = output;
  const pixels = (to - from) * width;
  const values = noiseValues(seed, step, pixels * channels, from * width * channels);
  const target = engine.memory.floats(rowAddress(address, from, width * stored), pixels * stored).fill(0);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c++) target[pixel * stored + c] = values[pixel * channels + c];
  }
}

/** Address of a row. That of the first row, which need not be in memory, wraps as numbers of 32 bits do. */
const rowAddress = (first: number, row: number, floats: number): number =>
  (first + 4 * row * floats) % 2 ** 32;

/** Sums over rows of a map. */
function measure(pass: ForwardPass, map: FeatureMap, { from, to }: Rows): Float64Array {
  const { address, width } = pass.places.map(map);
  const pixels = (to - from) * width;
  const share = measureShare(pixels);
  const items = Math.ceil(pixels / share);
  const first = rowAddress(address, from, width * map.stored);
  pass.engine.run('generatorMoments', [first, pass.moments, pixels, map.stored, share], items);
  return addUp(pass, 2 * map.stored, items);
}

/** Pixels of an item of sums over a map: at most 16 items, which do not depend on threads. */
export const measureShare = (pixels: number): number => Math.max(256, Math.ceil(pixels / 16));

/** Adds up the sums of items, in order. */
export function addUp({ engine, moments }: ForwardPass, length: number, items: number): Float64Array {
  const partial = engine.memory.doubles(moments, length * items);
  const sums = new Float64Array(length);
  for (let at = 0; at < length * items; at += length) {
    for (let i = 0; i < length; i++) sums[i] += partial[at + i];
  }
  return sums;
}

/** Computes factors and summands of a map's norms from sums and sums of squares over the whole map. */
export function finishNorms(pass: ForwardPass, map: FeatureMap, sums: Float64Array): void {
  const { memory } = pass.engine;
  const { height, width } = pass.places.map(map);
  const count = height * width;
  const n = map.stored;
  for (const norm of pass.norms(map)) {
    const scale = pass.weights.vector(norm.scale, map.channels);
    const shift = pass.weights.vector(norm.shift, map.channels);
    const block = memory.floats(pass.places.norm(norm), normFloats(map)).fill(0);
    for (let c = 0; c < map.channels; c++) {
      const mean = sums[c] / count;
      const variance = Math.max(0, sums[n + c] / count - mean * mean);
      const inverse = 1 / Math.sqrt(variance + norm.epsilon);
      block[c] = scale[c] * inverse;
      block[n + c] = shift[c] - mean * scale[c] * inverse;
      block[2 * n + c] = mean;
      block[3 * n + c] = inverse;
    }
  }
}

/** Floats of a norm: factors, summands, means, inverse deviations, and three vectors of the way back. */
export const normFloats = (map: FeatureMap): number => 7 * periodOf(map.stored);
