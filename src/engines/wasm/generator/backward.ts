import type { Size } from '../../shared/fitting-size';
import type { Blocks } from '../blocks';
import { addFilterGradient } from './filter-gradient';
import { addUp, type ForwardPass, measureShare, needLine } from './forward';
import { primaryTerm } from './gradient-plan';
import type { Convolution, FeatureMap, Join, Operation, Pool, Summand, Term, Value } from './graph';
import type { PassMemory } from './pass-memory';
import { activationCode, extentOf, readerBytes, writePlainReader } from './readers';
import { paddingCodes, runSweep } from './run-sweep';
import { inputPadding, inputPads } from './sweeps';

/** What the way back through a network works with. */
export interface BackwardPass extends ForwardPass, Pick<PassMemory, 'gradientOf'> {
  readonly size: Size;
  readonly blocks: Blocks;
  /** The gradient of all parameters, which is added to. */
  readonly gradient: Float32Array;
  /** Terms of which a gradient has been written. */
  readonly written: Set<Term>;
}

/**
 * The gradient of the network's output, from that of the image.
 *
 * @param image address of the latter
 */
export function gradientOfOutput(pass: BackwardPass, conversion: number, image: number): void {
  const { engine, graph, places } = pass;
  const { output } = graph;
  if (!output.some(({ term }) => term.trained)) return;
  const { height } = extentOf(output, places);
  const to = pass.gradientOf(output);
  needLine(pass, output);
  engine.run('generatorOutputGradient', [pass.reader(output), image, conversion, to], height);
  spread(pass, output, { ...unpadded, address: to, channels: 4 });
}

/** Carries the gradient of an operation's output to what it reads, and to its parameters. */
export function gradientOfOperation(pass: BackwardPass, operation: Operation): void {
  const gradient = gradientOfMap(pass, operation.output);
  if (gradient === 0) return;
  if (operation.op === 'convolution') gradientOfConvolution(pass, operation, gradient);
  else if (operation.op === 'join') gradientOfJoin(pass, operation, gradient);
  else if (operation.op === 'pool') gradientOfPool(pass, operation, gradient);
}

function gradientOfJoin(pass: BackwardPass, { inputs, output }: Join, gradient: number): void {
  let first = 0;
  for (const value of inputs) {
    const alone = inputs.length === 1;
    spread(pass, value, { ...unpadded, address: gradient, channels: output.stored, first, alone });
    first += value[0].term.map.channels;
  }
}

function gradientOfPool(pass: BackwardPass, { input, output, factor }: Pool, gradient: number): void {
  const { engine, written } = pass;
  const { height, width } = extentOf(input, pass.places);
  for (const { term } of input) {
    if (!term.trained) continue;
    const onto = Number(written.has(term));
    engine.run(
      'generatorUnpool',
      [gradient, pass.gradientOf(term), width, output.stored, factor, onto],
      height,
    );
    written.add(term);
  }
}

/** The gradient of a map from those of its terms. @returns its address; 0 if there is none */
function gradientOfMap(pass: BackwardPass, map: FeatureMap): number {
  const primary = primaryTerm(pass.written, map);
  if (!primary) return 0;
  const to = pass.gradientOf(primary);
  throughTerm(pass, primary, to);
  for (const term of pass.written) if (term.map === map && term !== primary) throughTerm(pass, term, to);
  return map.trained ? to : 0;
}

/** Carries the gradient of a term to its map, and to the parameters of its norm. */
function throughTerm(pass: BackwardPass, term: Term, to: number): void {
  const { engine, places, weights } = pass;
  const { map, norm, activation } = term;
  const from = pass.gradientOf(term);
  const onto = from !== to;
  if (!norm && !activation && !onto) return;
  const { address, height, width } = places.map(map);
  const count = height * width;
  const share = measureShare(count);
  const items = Math.ceil(count / share);
  const block = norm ? places.norm(norm) : 0;
  const args = [
    from,
    address,
    block,
    activationCode(activation),
    { float: activation?.slope ?? 0 },
    count,
    map.stored,
    share,
  ];
  if (norm) {
    engine.run('generatorTermSums', [...args, pass.moments, 0], items);
    const sums = addUp(pass, 2 * map.stored, items);
    const scale = weights.vector(norm.scale, map.channels);
    const [scaleAt, shiftAt] = [weights.offsetOf(norm.scale), weights.offsetOf(norm.shift)];
    const n = map.stored;
    const vectors = engine.memory.floats(block, 7 * n);
    for (let c = 0; c < map.channels; c++) {
      const factor = scale[c] * vectors[3 * n + c];
      vectors[4 * n + c] = factor;
      vectors[5 * n + c] = (-factor * sums[c]) / count;
      vectors[6 * n + c] = (-factor * sums[n + c]) / count;
      pass.gradient[shiftAt + c] += sums[c];
      pass.gradient[scaleAt + c] += sums[n + c];
    }
  }
  if (map.trained) engine.run('generatorTermGradient', [...args, to, Number(onto)], items);
}

function gradientOfConvolution(pass: BackwardPass, convolution: Convolution, gradient: number): void {
  const { engine, places, weights, size, blocks } = pass;
  const { step, input, windows, output } = convolution;
  const { height, width } = places.map(output);
  const plain = blocks.allocate(readerBytes);
  writePlainReader(engine.memory, plain, gradient, { height, width, stored: output.stored });
  if (step.bias !== undefined) {
    const share = measureShare(height * width);
    const items = Math.ceil((height * width) / share);
    engine.run('generatorMoments', [gradient, pass.moments, height * width, output.stored, share], items);
    const sums = addUp(pass, 2 * output.stored, items);
    const at = weights.offsetOf(step.bias);
    for (let c = 0; c < output.channels; c++) pass.gradient[at + c] += sums[c];
  }
  const transposed = step.op === 'transposedConv';
  const kernelAt = weights.offsetOf(step.kernel);
  addFilterGradient(
    engine,
    convolution,
    size,
    {
      windows: transposed ? plain : pass.reader(windows),
      pixels: transposed ? places.map(input[0].term.map).address : gradient,
      sums: pass.gradientOf(convolution),
    },
    pass.gradient.subarray(kernelAt, kernelAt + step.size ** 2 * step.channelsIn * step.channelsOut),
  );
  if (!input.some(({ term }) => term.trained)) return;
  const to = pass.gradientOf(input);
  const [before, behind] = inputPads(convolution);
  const extent = extentOf(input, places);
  const stored = input[0].term.map.stored;
  for (const sweep of weights.backward(convolution)) {
    runSweep(engine, {
      sweep,
      reader: plain,
      channelsIn: output.stored,
      output: to,
      height: extent.height + before + behind,
      width: extent.width + before + behind,
      channels: stored,
    });
  }
  const padding = inputPadding(convolution);
  spread(pass, input, { address: to, channels: stored, first: 0, alone: true, before, behind, padding });
}

/** The gradient of a value, perhaps with its padding, or some channels of a map. */
interface ValueGradient {
  readonly address: number;
  readonly channels: number;
  /** The first channel that is the value's. */
  readonly first: number;
  /** Whether no channel is another value's. */
  readonly alone: boolean;
  readonly before: number;
  readonly behind: number;
  readonly padding: keyof typeof paddingCodes;
}

const unpadded = { first: 0, alone: true, before: 0, behind: 0, padding: 'zero' } as const;

/** Adds the gradient of a value to those of its terms. */
function spread(pass: BackwardPass, value: Value, from: ValueGradient): void {
  for (const summand of value) if (summand.term.trained) fold(pass, summand, from);
}

function fold(pass: BackwardPass, { term, doubled }: Summand, from: ValueGradient): void {
  const { engine, places, written } = pass;
  const { height, width } = places.map(term.map);
  const { channels, stored } = term.map;
  engine.needScratch((width << Number(doubled)) * stored * 4);
  engine.run(
    'generatorFold',
    [
      ...[
        from.address,
        from.channels,
        from.first,
        from.alone && from.channels === stored ? stored : channels,
      ],
      ...[from.before, from.behind, paddingCodes[from.padding], Number(doubled)],
      ...[pass.gradientOf(term), height, width, stored, Number(written.has(term))],
    ],
    height,
  );
  written.add(term);
}
