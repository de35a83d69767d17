import type { GeneratorStep } from '../../features/generator-network';
import { type Padding, paddings } from '../../features/padding';
import { number, oneOf, optionTable } from '../../options/table';
import { type Architecture, architecture } from './architecture';
import { block } from './block';

/** Options of {@link textureNet}. */
export interface TextureNetOptions {
  /** Channels that each scale adds. @default 8 */
  readonly width?: number | undefined;
  /** Sizes, each half of the one before. @default 5 */
  readonly scales?: number | undefined;
  /** Channels of noise that each scale gets beside the photograph; 0 is none. @default 3 */
  readonly noise?: number | undefined;
  /** What convolutions read beyond the border. @default 'zero' */
  readonly padding?: Padding | undefined;
}

const textureNetOptions = optionTable<TextureNetOptions>()('textureNet', {
  width: number({ min: 1, max: 256, integer: true, default: 8 }),
  scales: number({ min: 1, max: 8, integer: true, default: 5 }),
  noise: number({ min: 0, max: 64, integer: true, default: 3 }),
  padding: oneOf<Padding, { readonly default: 'zero' }>(paddings, { default: 'zero' }),
});

/**
 * The texture network of Ulyanov, Lebedev, Vedaldi and Lempitsky 2016 for styles, with the instance norm of Ulyanov,
 * Vedaldi and Lempitsky 2017: the photograph at several sizes, each with noise of its own, joined from the coarsest to
 * the finest.
 *
 * @param options see {@link TextureNetOptions}; a width of 8 with 5 scales has 72 283 parameters
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { network, initialWeights } = textureNet({ scales: 4 });
 * ```
 */
export function textureNet(options: TextureNetOptions = {}): Architecture {
  const { width, scales, noise, padding } = textureNetOptions.read(options);
  const steps: GeneratorStep[] = [];
  const add = (...more: readonly (GeneratorStep | readonly GeneratorStep[])[]) => steps.push(...more.flat());
  const last = () => steps[steps.length - 1].name;
  /** Two convolutions of 3x3 and one of 1x1. */
  const convolutions = (name: string, from: string | undefined, input: number, output: number) => {
    const common = { padding, activation: 'leakyRelu' } as const;
    add(
      block({ ...common, name: `${name}/a`, from, channels: [input, output], size: 3 }),
      block({ ...common, name: `${name}/b`, channels: [output, output], size: 3 }),
      block({ ...common, name, channels: [output, output], size: 1 }),
    );
  };
  const norm = (name: string, channels: number, from?: string) =>
    add({ op: 'instanceNorm', name, from, channels, scale: `${name}/scale`, shift: `${name}/shift` });
  let coarser: string | undefined;
  for (let k = scales - 1; k >= 0; k--) {
    let from = 'input';
    if (k > 0) {
      from = `photo${k}`;
      add({ op: 'averagePool', name: from, from: 'input', factor: 2 ** k });
    }
    if (noise > 0) {
      add({ op: 'noise', name: `noise${k}`, from, channels: noise });
      add({ op: 'concat', name: `scale${k}`, from, with: `noise${k}` });
      from = `scale${k}`;
    }
    convolutions(`enter${k}`, from, 3 + noise, width);
    if (coarser !== undefined) {
      const channels = width * (scales - 1 - k);
      norm(`skip${k}`, width);
      add({ op: 'upsample', name: `up${k}`, from: coarser });
      norm(`low${k}`, channels);
      add({ op: 'concat', name: `joined${k}`, with: `skip${k}` });
      convolutions(`join${k}`, undefined, channels + width, channels + width);
    }
    coarser = last();
  }
  const leave = { padding, norm: false, activation: 'sigmoid' } as const;
  add(block({ ...leave, name: 'leave', channels: [width * scales, 3], size: 1 }));
  return architecture({
    name: 'textureNet',
    input: { scale: [2, 2, 2], offset: [-1, -1, -1] },
    steps,
    output: { scale: [1, 1, 1], offset: [0, 0, 0] },
  });
}
