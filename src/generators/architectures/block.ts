import type { GeneratorStep } from '../../features/generator-network';
import type { Padding } from '../../features/padding';

/** A convolution with what usually stands around it. */
export interface Block {
  /** Name of the last step, and beginning of the names of the others and of the tensors. */
  readonly name: string;
  /** The step that is read. @default the step before */
  readonly from?: string | undefined;
  readonly channels: readonly [input: number, output: number];
  readonly size: number;
  /** @default 1 */
  readonly stride?: 1 | 2 | undefined;
  readonly padding: Padding;
  /** Doubles the size before the convolution. */
  readonly upsample?: boolean | undefined;
  /** An instance norm in place of the bias. @default true */
  readonly norm?: boolean | undefined;
  /** A function of the values at the end. */
  readonly activation?: 'relu' | 'leakyRelu' | 'sigmoid' | 'tanh' | undefined;
}

/** Upsampling, convolution, instance norm and activation, as far as the block has them. */
export function block({
  name,
  from,
  channels: [channelsIn, channelsOut],
  size,
  stride,
  padding,
  upsample = false,
  norm = true,
  activation,
}: Block): readonly GeneratorStep[] {
  const tensor = (part: string) => `${name}/${part}`;
  const steps: GeneratorStep[] = [];
  if (upsample) steps.push({ op: 'upsample', name: tensor('upsample'), from });
  const bias = norm ? undefined : tensor('bias');
  steps.push({
    op: 'conv',
    name: tensor('conv'),
    ...(upsample ? {} : { from }),
    channelsIn,
    channelsOut,
    size,
    stride,
    padding,
    kernel: tensor('kernel'),
    bias,
  });
  if (norm)
    steps.push({
      op: 'instanceNorm',
      name: tensor('norm'),
      channels: channelsOut,
      scale: tensor('scale'),
      shift: tensor('shift'),
    });
  if (activation) steps.push({ op: activation, name: tensor(activation) });
  const last = steps.length - 1;
  steps[last] = { ...steps[last], name };
  return steps;
}
