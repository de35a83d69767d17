import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { withoutProcessListeners } from '../../src/backends/without-process-listeners';
import { createThreadedWasm } from '../../src/node/threaded-wasm';
import { useWasm } from '../../src/node/use-wasm';
import { bundleText } from '../support/bundled-command';

/** Values of a convolution and its input gradient, which thread count must not change. */
function convolve(): number[] {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>([1, 40, 33, 16], 0, 1, 'float32', 1);
    const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 16, 24], 0, 0.1, 'float32', 2);
    return Array.from(tf.relu(tf.conv2d(x, filter, 1, 'same')).dataSync());
  });
}

describe('useWasm', () => {
  test('makes wasm the backend, with the same numbers on any number of threads', async () => {
    await useWasm();
    expect(tf.getBackend()).toBe('wasm');
    const { getThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
    expect(getThreadsCount()).toBe(1);
    const expected = convolve();
    for (const threads of [2, 3, 1]) {
      await useWasm({ threads });
      expect(tf.getBackend()).toBe('wasm');
      expect(getThreadsCount()).toBe(threads);
      expect(convolve()).toEqual(expected);
    }
  });

  test('refuses another number of threads while tensors would be lost', async () => {
    await useWasm();
    const tensor = tf.tensor1d([1, 2, 3]);
    await expect(useWasm({ threads: 2 })).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'BACKEND_IN_USE',
    });
    expect(Array.from(tensor.dataSync())).toEqual([1, 2, 3]);
    await useWasm({ threads: 1 });
    expect(Array.from(tensor.dataSync())).toEqual([1, 2, 3]);
    tensor.dispose();
  });

  test('leaves no listener for errors of the whole process', async () => {
    const count = () =>
      process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    const before = count();
    await useWasm({ threads: 2 });
    await useWasm({ threads: 1 });
    expect(count()).toBe(before);
  });

  test.each([0, 9, 1.5, Number.NaN, '2'])('refuses %s threads', async (threads) => {
    await expect(useWasm({ threads: threads as number })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'threads',
    });
  });

  test('lets a program with threads end by itself', async () => {
    const { stdout } = await run(
      `useWasm({ threads: 2 }).then(() => console.log(tf.getBackend(), tf.sum(tf.ones([6])).dataSync()[0]));`,
    );
    expect(stdout.trim()).toBe('wasm 6');
  });

  test.each(['', '--disallow-code-generation-from-strings'])(
    'starts threads in a program with flag "%s"',
    async (flag) => {
      const { stdout } = await run(`useWasm({ threads: 2 }).then(() => console.log(tf.getBackend()));`, flag);
      expect(stdout.trim()).toBe('wasm');
    },
  );

  test('rejects with a coded error, and ends no program, where threads do not start', async () => {
    const fakes = {
      throws: `class { constructor() { throw new Error('Access to this API has been restricted'); } }`,
      fails: `class extends threads.Worker { constructor() { super('throw new Error("no memory")', { eval: true }); } }`,
      ends: `class extends threads.Worker { constructor() { super('process.exit(1)', { eval: true }); } }`,
    };
    for (const [name, fake] of Object.entries(fakes)) {
      // What the package's glue and this library take their workers from.
      const { stdout } = await run(`
        import { createRequire, syncBuiltinESMExports } from 'node:module';
        const threads = createRequire(process.cwd() + '/')('node:worker_threads');
        threads.Worker = ${fake};
        syncBuiltinESMExports();
        const { useWasm } = await import(${path});
        await useWasm({ threads: 2 }).catch(({ code, name }) => console.log(name, code));
        await useWasm();
        console.log(tf.getBackend(), typeof Worker);`);
      expect(stdout.trim().split('\n'), name).toEqual([
        'EnvironmentError THREADS_UNAVAILABLE',
        'wasm undefined',
      ]);
    }
  });

  test('does not wait for ever for a thread that never answers', async () => {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    await expect(withoutProcessListeners(() => createThreadedWasm(wasm, 2, 1))).rejects.toMatchObject({
      code: 'THREADS_UNAVAILABLE',
      message: expect.stringContaining('did not answer within'),
    });
  });
});

const path = JSON.stringify('./src/node/use-wasm.ts');

/** Runs a program that has tf and, unless it imports it itself, useWasm. */
async function run(program: string, ...flags: string[]) {
  const own = program.includes('import(') ? '' : `import { useWasm } from ${path};`;
  const file = await bundleText(`import * as tf from '@tensorflow/tfjs-core';${own}${program}`);
  return promisify(execFile)(process.execPath, [...flags.filter(Boolean), file], { timeout: 60_000 });
}
