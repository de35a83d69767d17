import * as tf from '@tensorflow/tfjs-core';
import { convolve, scratchBytes } from '../src/engines/wasm/network/convolve';
import { KernelRunner } from '../src/engines/wasm/runtime/kernel-runner';
import { elapsed, timeInTurn } from './timing';

/** GFLOP/s of one kernel, counted as the direct computation's multiplications and additions. */
export interface KernelSpeed {
  readonly kernel: string;
  /** Ours, on one thread and on two. */
  readonly own: readonly [number, number];
  /** XNNPACK's, by tfjs-wasm on one thread. */
  readonly xnnpack: number;
}

const convolutions = [
  { side: 256, channelsIn: 64, channelsOut: 64 },
  { side: 128, channelsIn: 128, channelsOut: 128 },
  { side: 64, channelsIn: 128, channelsOut: 256 },
  { side: 32, channelsIn: 512, channelsOut: 512 },
] as const;

const grams = [
  { pixels: 65536, channels: 64 },
  { pixels: 16384, channels: 128 },
  { pixels: 4096, channels: 256 },
] as const;

/** Shapes of VGG-19 at 256 pixels, ours beside XNNPACK, in turn. */
export async function timeKernels(rounds: number): Promise<KernelSpeed[]> {
  const engines = [await KernelRunner.create({ threads: 1 }), await KernelRunner.create({ threads: 2 })];
  const speeds: KernelSpeed[] = [];
  for (const shape of convolutions) {
    const { side, channelsIn: k, channelsOut: n } = shape;
    const kernel = new Float32Array(9 * k * n).fill(0.01);
    const ours = engines.map((engine) => {
      const { memory } = engine;
      engine.needScratch(scratchBytes(k, n));
      const [input, output] = [
        memory.allocateFloats(side * side * k),
        memory.allocateFloats(side * side * n),
      ];
      memory.floats(input, side * side * k).fill(0.5);
      const filters = engine.filters(kernel, k, n);
      const sizes = { height: side, width: side, channelsIn: k, channelsOut: n };
      return () => convolve(engine, { ...sizes, input, output, filters });
    });
    const x = tf.fill<tf.Rank.R4>([1, side, side, k], 0.5);
    const filter = tf.tensor4d(kernel, [3, 3, k, n]);
    const stock = () => tf.conv2d(x, filter, 1, 'same').dispose();
    const operations = 2 * 9 * side * side * k * n;
    speeds.push(
      await compare(`convolution ${k} to ${n}, ${side} x ${side}`, operations, ours, stock, rounds),
    );
    tf.dispose([x, filter]);
  }
  for (const { pixels, channels: n } of grams) {
    const ours = engines.map((engine) => {
      const { memory } = engine;
      engine.needScratch(scratchBytes(n, n));
      const [features, sums] = [memory.allocateFloats((pixels + 4) * n), memory.allocateFloats(16 * n * n)];
      memory.floats(features, pixels * n).fill(0.5);
      return () => engine.run('gramForward', [features, pixels, n, 0, pixels / 16, sums, 0, 0, 0], 16);
    });
    const x = tf.fill<tf.Rank.R2>([pixels, n], 0.5);
    // The fastest way that tfjs-wasm has: its product with a transpose flag takes several times as long.
    const stock = () => tf.tidy(() => void tf.matMul(tf.transpose(x), x));
    speeds.push(
      await compare(
        `Gram matrix of ${n} channels, ${pixels} pixels`,
        2 * pixels * n * n,
        ours,
        stock,
        rounds,
      ),
    );
    x.dispose();
  }
  for (const engine of engines) engine.dispose();
  return speeds;
}

async function compare(
  kernel: string,
  operations: number,
  ours: readonly (() => void)[],
  stock: () => void,
  rounds: number,
): Promise<KernelSpeed> {
  const contenders = [...ours, stock].map((run, i) => ({ name: String(i), run: () => elapsed(run) }));
  const times = await timeInTurn(contenders, rounds);
  const [one, two, xnnpack] = times.map(({ median }) => operations / median / 1e9);
  return { kernel, own: [one, two], xnnpack };
}
