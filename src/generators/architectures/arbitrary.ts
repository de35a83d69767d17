import { slopesName } from '../../features/generator';
import type { GeneratorNetwork, GeneratorStep } from '../../features/generator-network';
import { noiseValues } from '../../features/generator-noise';
import type { PredictorStep, StylePredictor } from '../../features/style-predictor';
import { number, optionTable } from '../../options/table';
import type { NamedTensor } from '../../weights/tensor-file';
import type { Architecture } from './architecture';
import { initialWeights } from './initial-weights';
import { type JohnsonOptions, johnson } from './johnson';
import { normParameters } from './multi-style';

/** Options of {@link arbitrary}. */
export interface ArbitraryOptions extends JohnsonOptions {
  /** Length of the style vector. @default 100 */
  readonly vectorLength?: number | undefined;
  /** Channels of the predictor's first convolution; each after it has twice as many. @default 16 */
  readonly predictorWidth?: number | undefined;
}

const arbitraryOptions = optionTable<Pick<ArbitraryOptions, 'vectorLength' | 'predictorWidth'>>()(
  'arbitrary',
  {
    vectorLength: number({ min: 1, max: 4096, integer: true, default: 100 }),
    predictorWidth: number({ min: 1, max: 256, integer: true, default: 16 }),
  },
);

/**
 * Ghiasi, Lee, Kudlur, Dumoulin and Shlens 2017: a predictor finds a vector in a style image, and linear maps of the
 * vector are the scales and shifts of every instance norm of the network that paints. The predictor is smaller than the
 * paper's Inception-v3: four convolutions that halve the image, the mean over all positions, and a linear layer.
 *
 * @param options of the predictor, and those of {@link johnson}, which the network is
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { network, predictor, initialWeights } = arbitrary({ width: 16, vectorLength: 64 });
 * ```
 */
export function arbitrary({
  vectorLength: length,
  predictorWidth,
  ...options
}: ArbitraryOptions = {}): Architecture {
  const { vectorLength, predictorWidth: width } = arbitraryOptions.read({
    vectorLength: length,
    predictorWidth,
  });
  const network: GeneratorNetwork = { ...johnson(options).network, name: 'arbitrary' };
  const predictor = predictorOf(network, width, vectorLength);
  return {
    network,
    predictor,
    initialWeights(seed) {
      const convolutions = predictor.steps.filter(
        (step): step is GeneratorStep & PredictorStep => step.op === 'conv',
      );
      const weights = new Map<string, NamedTensor>([
        ...initialWeights(network, seed),
        ...initialWeights({ steps: convolutions }, seed + 1),
      ]);
      const bound = 1 / Math.sqrt(vectorLength);
      for (const [i, { name, shape }] of normParameters(network).entries()) {
        const numbers = noiseValues(seed + 2, i, vectorLength * shape[0]);
        const values = numbers.map((value) => bound * (2 * value - 1));
        weights.set(slopesName(name), { shape: [vectorLength, shape[0]], values });
      }
      return weights;
    },
  };
}

function predictorOf({ input }: GeneratorNetwork, width: number, vectorLength: number): StylePredictor {
  const steps: PredictorStep[] = [];
  let channelsIn = 3;
  for (let i = 0; i < 4; i++) {
    const name = `predictor/conv${i + 1}`;
    const channelsOut = width * 2 ** i;
    const tensors = { kernel: `${name}/kernel`, bias: `${name}/bias` };
    steps.push(
      { op: 'conv', name, channelsIn, channelsOut, size: 3, stride: 2, padding: 'zero', ...tensors },
      { op: 'relu', name: `${name}/relu` },
    );
    channelsIn = channelsOut;
  }
  const name = 'predictor/vector';
  const tensors = { kernel: `${name}/kernel`, bias: `${name}/bias` };
  steps.push(
    { op: 'globalAveragePool', name: 'predictor/mean' },
    { op: 'conv', name, channelsIn, channelsOut: vectorLength, size: 1, padding: 'zero', ...tensors },
  );
  return { name: 'predictor', size: 256, input, steps };
}
