import type { GeneratorNetwork, GeneratorStep } from '../../features/generator-network';
import type { Normalization } from '../../features/network';
import type { NamedTensors } from '../../weights/tensor-file';

interface NetworkAndWeights {
  readonly network: GeneratorNetwork;
  readonly weights: NamedTensors;
}

/** A network of RGB images from one that has blue first: colours are exchanged before its steps and behind. */
export function forBlueFirst({ network, weights }: NetworkAndWeights): NetworkAndWeights {
  const kernel = { shape: [1, 1, 3, 3], values: Float32Array.of(0, 0, 1, 0, 1, 0, 1, 0, 0) };
  const exchange = (name: string): GeneratorStep => ({
    op: 'conv',
    name,
    channelsIn: 3,
    channelsOut: 3,
    size: 1,
    padding: 'zero',
    kernel: exchangeKernel,
  });
  const renamed = (name: string | undefined) => (name === 'input' ? 'blueFirst' : name);
  const steps = network.steps.map((step) => ({
    ...step,
    ...(step.from === undefined ? {} : { from: renamed(step.from) }),
    ...('with' in step ? { with: renamed(step.with) } : {}),
  })) as readonly GeneratorStep[];
  return {
    network: {
      ...network,
      input: reversed(network.input),
      steps: [exchange('blueFirst'), ...steps, exchange('redFirst')],
      output: reversed(network.output),
    },
    weights: new Map([...weights, [exchangeKernel, kernel]]),
  };
}

const exchangeKernel = 'blueFirst/kernel';

const reversed = ({ scale, offset }: Normalization): Normalization => ({
  scale: [scale[2], scale[1], scale[0]],
  offset: [offset[2], offset[1], offset[0]],
});
