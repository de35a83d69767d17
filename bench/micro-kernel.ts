import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileAssembly } from '../scripts/compile-assembly';

/**
 * Speed of the product that convolutions are made of, next to what the processor's vector units can do in the same
 * process.
 */
export interface MicroKernelSpeed {
  /** GFLOP/s of multiplications and additions on registers. */
  readonly peak: number;
  /** GFLOP/s of the micro-kernel on memory in the first-level cache. */
  readonly product: number;
}

interface Exports {
  product(a: number, b: number, c: number, rows: number, k: number, n: number, times: number): void;
  peak(a: number, steps: number): void;
}

/** Below this share of the peak registers have spilled: the compiler then keeps sums in memory. */
const least = 0.85;

/** Measures in slices of a few milliseconds, of which the fastest count: other programs disturb the others. */
export async function measureMicroKernel(slices = 600): Promise<MicroKernelSpeed> {
  const bytes = await compileAssembly(resolve(import.meta.dirname, 'assembly/micro-kernel.ts'));
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { peak, product } = instance.exports as unknown as Exports;
  const [rows, k, n, times, steps] = [32, 128, 32, 100, 1_600_000];
  const [a, b, c] = [4096, 32768, 65536];
  new Float32Array(memory.buffer).fill(1e-3);
  const seconds = { peak: Number.POSITIVE_INFINITY, product: Number.POSITIVE_INFINITY };
  for (let i = 0; i < slices; i++) {
    seconds.peak = Math.min(
      seconds.peak,
      elapsed(() => peak(a, steps)),
    );
    seconds.product = Math.min(
      seconds.product,
      elapsed(() => product(a, b, c, rows, k, n, times)),
    );
  }
  return {
    // A vector's product and sum are eight operations.
    peak: (8 * 8 * steps) / seconds.peak / 1e9,
    product: (2 * rows * k * n * times) / seconds.product / 1e9,
  };
}

function elapsed(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { peak, product } = await measureMicroKernel();
  const share = product / peak;
  console.log(
    `micro-kernel ${product.toFixed(1)} GFLOP/s, ${(100 * share).toFixed(0)} % of the ${peak.toFixed(1)} GFLOP/s that this machine's vector units do`,
  );
  if (share < least) {
    console.error(
      `less than ${100 * least} %: look for register spills in src/engines/wasm/runtime/assembly/matrix-products.ts`,
    );
    process.exitCode = 1;
  }
}
