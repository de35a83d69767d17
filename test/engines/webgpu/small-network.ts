import type { LoadedNetwork, NamedTensor, NetworkStep } from '../../../src/features/network';
import type { Padding } from '../../../src/features/padding';
import { Random } from '../../../src/random';

/** A network of few channels, in every order of steps that VGG-19 has. */
export function smallNetwork(
  pool: 'maxPool' | 'averagePool' = 'maxPool',
  padding: Padding = 'zero',
): LoadedNetwork {
  const steps: NetworkStep[] = [];
  const weights = new Map<string, NamedTensor>();
  const add = (n: string, channelsIn: number, channelsOut: number) => {
    const [kernel, bias] = [`${n}/kernel`, `${n}/bias`];
    const first = steps.length === 0;
    const names = { name: `conv${n}`, kernel, bias } as const;
    steps.push({ op: 'conv', channelsIn, channelsOut, ...names, ...(first && { padding }) } as NetworkStep);
    steps.push({ op: 'relu', name: `relu${n}` } as NetworkStep);
    const random = new Random(steps.length);
    const values = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-0.4, 0.4));
    const shape = [3, 3, channelsIn, channelsOut];
    weights.set(kernel, { shape, values: values(9 * channelsIn * channelsOut) });
    weights.set(bias, { shape: [channelsOut], values: values(channelsOut) });
  };
  add('1_1', 3, 8);
  add('1_2', 8, 8);
  steps.push({ op: pool, name: 'pool1' } as NetworkStep);
  add('2_1', 8, 16);
  add('2_2', 16, 16);
  steps.push({ op: pool, name: 'pool2' } as NetworkStep);
  const input = { scale: [2, 2.1, 2.2], offset: [-1, -0.9, -1.1] } as const;
  return { network: { name: 'small', input, steps }, weights, weightsName: 'random' };
}
