import { expect, it } from 'vitest';
import { scratchBytes } from '../../../src/engines/wasm/network/convolve';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';

// Larger than any picture of the other tests, where rounding of long sums would not show.
it('Gram sums of many pixels are as exact as float32 allows', async () => {
  const [pixels, n] = [65_536, 8];
  const engine = await KernelRunner.create({ threads: 1 });
  const { memory } = engine;
  engine.needScratch(scratchBytes(n, n));
  const [features, sums] = [memory.allocateFloats((pixels + 4) * n), memory.allocateFloats(n * n)];
  let state = 1;
  const values = memory.floats(features, pixels * n);
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32;
  }
  engine.run('gramForward', [features, pixels, n, 0, pixels, sums, 0, 0, 0], 1);
  const found = memory.floats(sums, n * n);
  let squares = 0;
  for (let a = 0; a < n; a++) {
    for (let b = a; b < n; b++) {
      let exact = 0;
      for (let i = 0; i < values.length; i += n) exact += values[i + a] * values[i + b];
      squares += (found[a * n + b] / exact - 1) ** 2;
    }
  }
  // One long sum in float32 is wrong by 3.5e-6.
  expect(Math.sqrt((2 * squares) / (n * (n + 1)))).toBeLessThan(1e-6);
  engine.dispose();
});
