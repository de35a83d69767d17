import { noiseValues } from '../../../features/generator-noise';
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
  if (operation.op === 'convolution') {
    convolve(pass, operation);
    return;
  }
  if (operation.op === 'join') join(pass, operation);
  else if (operation.op === 'pool') pool(pass, operation);
  else fillWithNoise(pass, operation);
  measure(pass, operation.output);
}

/** Computes the image from the network's output, at an address. */
export function computeOutput(pass: ForwardPass, conversion: number, to: number): void {
  const { output } = pass.graph;
  needLine(pass, output);
  pass.engine.run(
    'generatorOutput',
    [pass.reader(output), 0, to, conversion],
    extentOf(output, pass.places).height,
  );
}

/** Makes sure that a thread's scratch memory takes a row of a value. */
export function needLine({ engine, places }: ForwardPass, value: Value): void {
  engine.needScratch((extentOf(value, places).width + 4) * value[0].term.map.stored * 4);
}

function convolve(pass: ForwardPass, convolution: Convolution): void {
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
    };
    items += runSweep(engine, run, filters);
  }
  if (output.measured) finishNorms(pass, output, items);
}

/** Pixels of a map from which on Winograd's convolution spares more than it costs. */
const leastPixels = 1024;

function join(pass: ForwardPass, { inputs, output }: Join): void {
  const { engine, places } = pass;
  const { address, height } = places.map(output);
  let first = 0;
  for (const value of inputs) {
    const { channels } = value[0].term.map;
    needLine(pass, value);
    engine.run('generatorStore', [pass.reader(value), 0, address, output.stored, first, channels], height);
    first += channels;
  }
}

function pool(pass: ForwardPass, { input, output, factor }: Pool): void {
  const { address, height } = pass.places.map(output);
  needLine(pass, input);
  pass.engine.run('generatorPool', [pass.reader(input), 0, address, output.stored, factor], height);
}

function fillWithNoise({ engine, places, seed }: ForwardPass, { step, output }: Noise): void {
  const { address, height, width } = places.map(output);
  const { channels, stored } = output;
  const values = noiseValues(seed, step, height * width * channels);
  const to = engine.memory.floats(address, height * width * stored).fill(0);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < channels; c++) to[pixel * stored + c] = values[pixel * channels + c];
  }
}

/** Sums over a map that is stored, if a norm needs them. */
function measure(pass: ForwardPass, map: FeatureMap): void {
  if (!map.measured) return;
  const { address, height, width } = pass.places.map(map);
  const share = measureShare(height * width);
  const items = Math.ceil((height * width) / share);
  pass.engine.run('generatorMoments', [address, pass.moments, height * width, map.stored, share], items);
  finishNorms(pass, map, items);
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

/** Computes factors and summands of a map's norms from the sums of items. */
function finishNorms(pass: ForwardPass, map: FeatureMap, items: number): void {
  const { memory } = pass.engine;
  const { height, width } = pass.places.map(map);
  const count = height * width;
  const n = map.stored;
  const sums = addUp(pass, 2 * n, items);
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
