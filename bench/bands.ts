import * as tf from '@tensorflow/tfjs-core';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import { createWebgpuExtractor } from '../src/engines/webgpu/webgpu-extractor';
import { loadedVgg19 } from '../src/features/vgg19/network';
import { createObjective } from '../src/objective';
import { benchWeights, scene, sceneLayers, sceneLoss } from './scene';
import { digits, elapsed } from './timing';
import { startWebgpu } from './webgpu/adapter';
import '@tensorflow/tfjs-backend-cpu';

/**
 * `npm run bench:bands -- SIZE [MIB]`: one evaluation of the benchmarks' loss at a size whose maps are larger than the
 * device's buffers, or than so many MiB, beside the wasm engine's: bands, loss, gradient and seconds. Software takes
 * minutes for it.
 */
const [size, mebibytes] = process.argv.slice(2).map(Number);
const { name, maxStorageBufferBindingSize } = await startWebgpu();
const largest = Math.min(maxStorageBufferBindingSize, (mebibytes || Number.POSITIVE_INFINITY) * 2 ** 20);
const network = loadedVgg19(await benchWeights(), {
  lastLayer: 'conv3_1',
  convention: 'caffe',
  weightsName: 'benchmark',
});
const layers = sceneLayers('conv3_1');
// Both engines have the targets of the wasm engine: what they compute of them is not compared here.
await tf.setBackend('cpu');
const at = await scene(size);
const byWasm = await createWasmExtractor(network);
const loss = sceneLoss(byWasm, { ...at, content: at.style });
// Surfaces of one colour have many equal maxima in poolings, of which rounding takes one or the other: gradients of two
// engines, or of two ways of a convolution, then differ by 2 % on pictures of 8 bits.
const painted = tf.tidy(() =>
  tf.add<tf.Tensor3D>(at.content, tf.randomNormal(at.content.shape, 0, 0.02, 'float32', 5)),
);
await painted.data();
const found: { readonly value: number; readonly gradient: Float32Array }[] = [];
for (const engine of ['wasm', 'webgpu'] as const) {
  await tf.setBackend(engine === 'wasm' ? 'cpu' : 'webgpu');
  const extractor = engine === 'wasm' ? byWasm : createWebgpuExtractor(network, { largest });
  const request = { size: [size, size], layers: layers.style, featureTargets: [layers.content] } as const;
  const tiles = extractor.plan?.({ ...request, style: { layers: layers.style, size: [size, size] } }).tiles;
  const objective = createObjective(extractor, loss, [size, size]);
  const before = process.cpuUsage();
  const seconds = await elapsed(async () => {
    const { value, gradient, terms } = objective.evaluate(painted);
    const [numbers, [number]] = await Promise.all([gradient.data<'float32'>(), value.data()]);
    found.push({ value: number, gradient: numbers });
    tf.dispose([value, gradient, terms]);
  });
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${engine === 'wasm' ? 'wasm' : `webgpu on ${name}, buffers of ${largest / 2 ** 20} MiB`}: ${size} px, ${tiles} tiles, loss ${found.at(-1)?.value}, ${digits(seconds)} s, ${digits((user + system) / 1e6)} s of processors`,
  );
  objective.dispose();
}
const [theirs, ours] = found;
const away = Math.sqrt(ours.gradient.reduce((sum, g, i) => sum + (g - theirs.gradient[i]) ** 2, 0));
const norm = Math.sqrt(theirs.gradient.reduce((sum, g) => sum + g * g, 0));
console.log(
  `loss apart by ${Math.abs(ours.value / theirs.value - 1)}, gradient by ${away / norm} of its norm`,
);
process.exit(0);
