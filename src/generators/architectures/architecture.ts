import type { GeneratorNetwork } from '../../features/generator-network';
import type { StylePredictor } from '../../features/style-predictor';
import type { NamedTensors } from '../../weights/tensor-file';
import { initialWeights } from './initial-weights';

/** A kind of generator: its network, and weights to start training from. */
export interface Architecture {
  readonly network: GeneratorNetwork;
  /** Names of its styles, of an architecture for several. @default one style */
  readonly styles?: readonly string[] | undefined;
  /** What finds the style vector in a style image, of an architecture for any style. @default none */
  readonly predictor?: StylePredictor | undefined;
  /** Weights of an untrained network; equal seeds give equal weights. */
  initialWeights(seed: number): NamedTensors;
}

/** An architecture whose weights are those of its network's steps. */
export const architecture = (network: GeneratorNetwork): Architecture => ({
  network,
  initialWeights: (seed) => initialWeights(network, seed),
});
