import type { GeneratorNetwork, GeneratorStep } from '../../features/generator-network';
import { tensorValues } from '../../features/network';
import type { NamedTensor, NamedTensors } from '../../weights/tensor-file';
import { forBlueFirst } from './blue-first';

/**
 * The generator of CartoonGAN (Chen, Lai and Liu 2018) from its published tensors, in the names and orders of the
 * authors' PyTorch file: `conv01_1.weight` [output, input, rows, columns], `in01_1.scale`, `deconv01_1.weight`
 * [input, output, rows, columns]. It was trained on pictures in [-1, 1] with blue first.
 *
 * @param tensors of a `.safetensors` file or of any other source
 * @returns network and weights, which `createGenerator` takes
 * @throws WeightsError `WRONG_WEIGHTS` if a tensor is missing or has another shape
 */
export function readCartoonGan(tensors: NamedTensors): {
  readonly network: GeneratorNetwork;
  readonly weights: NamedTensors;
} {
  const steps: GeneratorStep[] = [];
  const weights = new Map<string, NamedTensor>();
  const stored = (name: string, shape: readonly number[]) => tensorValues('cartoongan', name, shape, tensors);
  const keep = (name: string, shape: readonly number[], values: Float32Array) => {
    weights.set(name, { shape, values });
    return name;
  };

  function conv(
    name: string,
    [channelsIn, channelsOut]: readonly [number, number],
    size: number,
    more: object,
  ) {
    const kernel = stored(`${name}.weight`, [channelsOut, channelsIn, size, size]);
    const shape = [size, size, channelsIn, channelsOut];
    const turned = reordered(kernel, [channelsOut, channelsIn, size * size], [2, 1, 0]);
    steps.push({
      op: 'conv',
      name,
      channelsIn,
      channelsOut,
      size,
      padding: 'zero',
      ...more,
      kernel: keep(`${name}/kernel`, shape, turned),
      bias: keep(`${name}/bias`, [channelsOut], stored(`${name}.bias`, [channelsOut])),
    });
  }

  function doubled(name: string, [channelsIn, channelsOut]: readonly [number, number]) {
    const kernel = stored(`${name}.weight`, [channelsIn, channelsOut, 3, 3]);
    const turned = reordered(kernel, [channelsIn, channelsOut, 9], [2, 0, 1]);
    steps.push({
      op: 'transposedConv',
      name,
      channelsIn,
      channelsOut,
      size: 3,
      pad: 1,
      kernel: keep(`${name}/kernel`, [3, 3, channelsIn, channelsOut], turned),
      bias: keep(`${name}/bias`, [channelsOut], stored(`${name}.bias`, [channelsOut])),
    });
  }

  function norm(name: string, channels: number) {
    const [scale, shift] = ['scale', 'shift'].map((part) =>
      keep(`${name}/${part}`, [channels], stored(`${name}.${part}`, [channels])),
    );
    steps.push({ op: 'instanceNorm', name, channels, scale, shift, epsilon: 1e-9 });
  }

  const relu = (name: string) => steps.push({ op: 'relu', name: `${name}/relu` });
  const reflect = { padding: 'reflect' };

  conv('conv01_1', [3, 64], 7, reflect);
  norm('in01_1', 64);
  relu('in01_1');
  for (const [number, channels] of [
    ['02', [64, 128]],
    ['03', [128, 256]],
  ] as const) {
    conv(`conv${number}_1`, channels, 3, { stride: 2, pads: [1, 1] });
    conv(`conv${number}_2`, [channels[1], channels[1]], 3, {});
    norm(`in${number}_1`, channels[1]);
    relu(`in${number}_1`);
  }
  let before = 'in03_1/relu';
  for (const number of ['04', '05', '06', '07', '08', '09', '10', '11']) {
    conv(`conv${number}_1`, [256, 256], 3, reflect);
    norm(`in${number}_1`, 256);
    relu(`in${number}_1`);
    conv(`conv${number}_2`, [256, 256], 3, reflect);
    norm(`in${number}_2`, 256);
    steps.push({ op: 'add', name: `residual${number}`, with: before });
    before = `residual${number}`;
  }
  for (const [number, channels, after] of [
    ['01', [256, 128], 'in12_1'],
    ['02', [128, 64], 'in13_1'],
  ] as const) {
    doubled(`deconv${number}_1`, channels);
    conv(`deconv${number}_2`, [channels[1], channels[1]], 3, {});
    norm(after, channels[1]);
    relu(after);
  }
  conv('deconv03_1', [64, 3], 7, reflect);
  steps.push({ op: 'tanh', name: 'tanh' });
  return forBlueFirst({
    network: {
      name: 'cartoongan',
      input: { scale: [2, 2, 2], offset: [-1, -1, -1] },
      steps,
      output: { scale: [0.5, 0.5, 0.5], offset: [0.5, 0.5, 0.5] },
    },
    weights,
  });
}

/** Whether tensors have the names of CartoonGAN's first and last layer. */
export const isCartoonGan = (tensors: NamedTensors): boolean =>
  tensors.has('conv01_1.weight') && tensors.has('deconv03_1.weight');

/** Values of a tensor of three axes with its axes in another order. */
function reordered(
  values: Float32Array,
  shape: readonly [number, number, number],
  order: readonly [number, number, number],
): Float32Array {
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [n, m, k] = order.map((axis) => shape[axis]);
  const [s, t, u] = order.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  let at = 0;
  for (let a = 0; a < n; a++)
    for (let b = 0; b < m; b++) for (let c = 0; c < k; c++) result[at++] = values[a * s + b * t + c * u];
  return result;
}
