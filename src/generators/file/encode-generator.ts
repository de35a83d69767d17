import { type Generator, slopesName } from '../../features/generator';
import type { GeneratorStep } from '../../features/generator-network';
import { generatorParameters } from '../../features/generator-parameters';
import { requireGenerator } from '../../features/is-generator';
import { predictorTensors } from '../../features/predictor-steps';
import type { PredictorStep } from '../../features/style-predictor';
import { flag, optionTable } from '../../options/table';
import type { Bytes } from '../../storage/byte-store';
import { safetensorsBytes } from '../../weights/safetensors-writer';
import type { NamedTensor } from '../../weights/tensor-file';

/** The value of the metadata's `format`. */
export const generatorFormat = 'tfjs-style-transfer generator';

/** Options of {@link encodeGenerator}. */
export interface EncodeGeneratorOptions {
  /**
   * Stores kernels in 8 bits with a scale for each output channel: a quarter of the size, and pictures that differ by
   * about one step of 8-bit colours. Norms and biases stay in float32.
   * @default false
   */
  readonly quantize?: boolean | undefined;
}

const encodeOptions = optionTable<EncodeGeneratorOptions>()('encodeGenerator', {
  quantize: flag({ default: false }),
});

/**
 * A generator as the bytes of a `.safetensors` file, which `loadGenerator` reads: its tensors, and as metadata its
 * network, predictor, names, training, licence and origin. Equal generators give equal bytes.
 *
 * @throws InvalidArgumentError if `generator` is none, or an option is unknown
 * @example
 * ```ts
 * const blob = new Blob([encodeGenerator(generator, { quantize: true })]);
 * ```
 */
export function encodeGenerator(generator: Generator, options: EncodeGeneratorOptions = {}): Bytes {
  requireGenerator('generator', generator);
  const { quantize } = encodeOptions.read(options);
  const { name, network, weights, predictor, styles, training, license, origin } = generator;
  const tensors = new Map<string, NamedTensor>();
  for (const parameter of generatorParameters(network)) {
    for (const tensor of [parameter.name, slopesName(parameter.name)]) {
      const found = weights.get(tensor);
      if (found) tensors.set(tensor, found);
    }
  }
  const ofPredictor = predictor?.steps.flatMap(predictorTensors) ?? [];
  for (const { name: tensor } of ofPredictor) {
    const found = weights.get(tensor);
    if (found) tensors.set(tensor, found);
  }
  const metadata: Record<string, string> = {
    format: generatorFormat,
    formatVersion: '1',
    name,
    network: JSON.stringify(network),
    ...(predictor === undefined ? {} : { predictor: JSON.stringify(predictor) }),
    ...(styles.length === 0 ? {} : { styles: JSON.stringify(styles) }),
    ...(training === undefined ? {} : { training: JSON.stringify(training) }),
    ...(license === undefined ? {} : { license }),
    ...(origin === undefined ? {} : { origin }),
  };
  return safetensorsBytes(
    tensors,
    metadata,
    quantize ? kernelsOf([...network.steps, ...(predictor?.steps ?? [])]) : [],
  );
}

/** Names of the kernels of convolutions. */
const kernelsOf = (steps: readonly (GeneratorStep | PredictorStep)[]): readonly string[] =>
  steps.flatMap((step) => (step.op === 'conv' || step.op === 'transposedConv' ? [step.kernel] : []));
