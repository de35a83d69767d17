import { ImageError, WeightsError } from '../errors';
import { showText } from '../options/show';
import type {
  GeneratorConvStep,
  GeneratorNetwork,
  GeneratorStep,
  TransposedConvStep,
} from './generator-network';
import { stepInputs } from './step-inputs';

/** A step with what the steps before it say about it. */
export interface ResolvedStep {
  readonly step: GeneratorStep;
  /** Indices of the steps that are read, one or, for sums and concatenations, two; -1 is the image. */
  readonly inputs: readonly number[];
  /** Channels of the output. */
  readonly channels: number;
  /** How many times smaller than the image's the output's height and width are. */
  readonly reduction: number;
}

/**
 * The steps of a generator with their inputs, channels and sizes.
 *
 * @throws WeightsError `UNSUPPORTED_NETWORK` if the steps do not fit together, or do not give an image
 */
export function resolveSteps(network: GeneratorNetwork): readonly ResolvedStep[] {
  const resolved: ResolvedStep[] = [];
  const of = (index: number) => resolved[index] ?? { channels: 3, reduction: 1 };
  for (const { step, inputs, refuse } of stepInputs('generator', network)) {
    const { channels, reduction } = of(inputs[0]);
    const expected =
      'channelsIn' in step ? step.channelsIn : step.op === 'instanceNorm' ? step.channels : channels;
    if (expected !== channels) throw refuse(`reads ${channels} channels`, `${expected} channels`);
    if ('with' in step) {
      const other = of(inputs[1]);
      if (other.reduction !== reduction) throw refuse('reads maps of different sizes', 'one size');
      if (step.op === 'add' && other.channels !== channels)
        throw refuse(`adds ${other.channels} channels to ${channels}`, 'the same number');
    }
    if (step.op === 'conv') requirePads(step, refuse);
    if (step.op === 'transposedConv') requireSpread(step, refuse);
    resolved.push({
      step,
      inputs,
      ...outputOf(step, channels, reduction, inputs[1] === undefined ? 0 : of(inputs[1]).channels),
    });
  }
  const last = resolved.at(-1);
  if (last?.channels === 3 && last.reduction === 1) return resolved;
  const found = last ? `${last.channels} channels at 1/${last.reduction} of the image's size` : 'no steps';
  const accepted = "3 channels at the image's size";
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The generator ${showText(network.name)} ends with ${found}; accepted: ${accepted}.`,
    { option: 'network', value: found, accepted },
  );
}

/** Height and width of an image must be multiples of this, so that every step halves evenly. */
export const sizeMultiple = (steps: readonly ResolvedStep[]): number =>
  Math.max(1, ...steps.map(({ reduction }) => reduction));

/** The least height and width of an image: a border by reflection has fewer rows than the map that it mirrors. */
export function smallestSize(steps: readonly ResolvedStep[]): number {
  const multiple = sizeMultiple(steps);
  const least = steps.map(({ step, inputs: [input] }) => {
    if (step.op !== 'conv' || step.padding !== 'reflect') return 1;
    return (Math.max(...padsOf(step)) + 1) * (steps[input]?.reduction ?? 1);
  });
  return multiple * Math.ceil(Math.max(1, ...least) / multiple);
}

/** Throws unless a generator can compute an image of this size. */
export function requireGeneratorSize(
  steps: readonly ResolvedStep[],
  [height, width]: readonly [height: number, width: number, ...rest: number[]],
): void {
  const [multiple, smallest] = [sizeMultiple(steps), smallestSize(steps)];
  if (height < smallest || width < smallest) {
    const accepted = `at least ${smallest}x${smallest} pixels`;
    throw new ImageError('TOO_SMALL', `The image has ${width}x${height} pixels; accepted: ${accepted}.`, {
      option: 'image',
      value: [height, width],
      accepted,
    });
  }
  if (height % multiple === 0 && width % multiple === 0) return;
  const accepted = `multiples of ${multiple} pixels; stylize() pads and crops`;
  throw new ImageError('WRONG_SIZE', `The image has ${width}x${height} pixels; accepted: ${accepted}.`, {
    option: 'image',
    value: [height, width],
    accepted,
  });
}

/** Rows and columns that a convolution adds before and behind. */
export const padsOf = ({ size, pads }: GeneratorConvStep): readonly [before: number, behind: number] =>
  pads ?? [(size - 1) / 2, (size - 1) / 2];

type Refuse = (what: string, accepted: string) => WeightsError;

/** With stride s, each extent n, a multiple of s, becomes n / s. */
function requirePads(step: GeneratorConvStep, refuse: Refuse): void {
  const { size, stride = 1 } = step;
  const pads = padsOf(step);
  const sum = pads[0] + pads[1];
  const whole = pads.every((pad) => Number.isInteger(pad) && pad >= 0);
  if (whole && sum <= size - 1 && sum >= size - stride) return;
  throw refuse(
    `pads a kernel of ${size} with stride ${stride} by ${pads[0]} and ${pads[1]}`,
    `whole numbers that sum to ${stride === 1 ? size - 1 : `${size - 2} or ${size - 1}`}`,
  );
}

/** Every output position, up to the last of twice the input's, is reached by the kernel. */
function requireSpread({ size, pad }: TransposedConvStep, refuse: Refuse): void {
  if (Number.isInteger(pad) && pad >= 0 && pad <= size - 2) return;
  throw refuse(`has a kernel of ${size} and pad ${pad}`, `a pad from 0 to the kernel's size less 2`);
}

function outputOf(
  step: GeneratorStep,
  channels: number,
  reduction: number,
  others: number,
): Pick<ResolvedStep, 'channels' | 'reduction'> {
  switch (step.op) {
    case 'conv':
      return { channels: step.channelsOut, reduction: reduction * (step.stride ?? 1) };
    case 'transposedConv':
      return { channels: step.channelsOut, reduction: reduction / 2 };
    case 'upsample':
      return { channels, reduction: reduction / 2 };
    case 'averagePool':
      return { channels, reduction: reduction * step.factor };
    case 'concat':
      return { channels: channels + others, reduction };
    case 'noise':
      return { channels: step.channels, reduction };
    default:
      return { channels, reduction };
  }
}
