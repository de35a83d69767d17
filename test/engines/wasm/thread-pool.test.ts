import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compileKernels, kernelNames } from '../../../src/engines/wasm/runtime/kernels';
import { ThreadPool } from '../../../src/engines/wasm/runtime/thread-pool';

/** A pool over a memory of one page, in which address 2^31 is out of bounds. */
async function pool(patienceMs: number): Promise<ThreadPool> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  return ThreadPool.start(3, await compileKernels({ shared: true }), memory, kernelNames, patienceMs);
}

describe('ThreadPool', () => {
  it('reports a worker that crashes', async () => {
    const threads = await pool(5000);
    // Arguments beyond the memory: every worker that takes an item traps, this thread's part does nothing.
    let own = 0;
    const wait = () => {
      own++;
      const end = performance.now() + 20;
      while (performance.now() < end);
    };
    expect(() => threads.run('add', 2 ** 31 - 64, 12, wait)).toThrow(
      expect.objectContaining({ code: 'WORKER_LOST', message: expect.stringContaining('crashed') }),
    );
    expect(own).toBeGreaterThan(0);
    threads.dispose();
  });

  it('reports a crash in its own part, and waits for the others first', async () => {
    const threads = await pool(5000);
    // So many that workers cannot have taken all before this thread takes one; arguments of zeros are no work.
    expect(() =>
      threads.run('add', 0, 100_000, () => {
        throw new WebAssembly.RuntimeError('memory access out of bounds');
      }),
    ).toThrow(expect.objectContaining({ code: 'WORKER_LOST' }));
    threads.dispose();
  });

  it('does not wait for ever for a worker that is gone', async () => {
    const threads = await pool(300);
    threads.dispose();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const start = performance.now();
    expect(() => threads.run('add', 0, 2, () => {})).toThrow(
      expect.objectContaining({ code: 'WORKER_LOST', message: expect.stringContaining('did not come back') }),
    );
    expect(performance.now() - start).toBeGreaterThan(250);
  });

  it('lets a program end by itself that never disposed it', async () => {
    const program = `import { KernelRunner } from ${JSON.stringify(resolve('src/engines/wasm/runtime/kernel-runner.ts'))};
      const engine = await KernelRunner.create(3);
      engine.needScratch(64);
      const address = engine.memory.allocateFloats(64);
      engine.run('multiplyComponents', [address, address, address, 64, 16, 0, 0, 0, 0, 0], 4);
      console.log(engine.threads);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--import', './scripts/binary-hooks.mjs', '--input-type=module', '--eval', program],
      { timeout: 30_000 },
    );
    expect(stdout.trim()).toBe('3');
  });
});
