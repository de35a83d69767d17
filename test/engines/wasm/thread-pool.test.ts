import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { compileKernels, kernelNames } from '../../../src/engines/wasm/runtime/kernels';
import { startWorker } from '../../../src/engines/wasm/runtime/start-worker';
import { defaultThreads } from '../../../src/engines/wasm/runtime/thread-count';
import { ThreadPool, type ThreadPoolOptions } from '../../../src/engines/wasm/runtime/thread-pool';
import { bundleText } from '../../support/bundled-command';

/** A pool over a memory of one page, in which address 2^31 is out of bounds. */
async function pool(options: ThreadPoolOptions): Promise<ThreadPool> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const module = await compileKernels({ shared: true });
  return ThreadPool.start({ threads: 3, module, memory, names: kernelNames }, options);
}

const lost = (message: string) =>
  expect.objectContaining({ code: 'WORKER_LOST', message: expect.stringContaining(message) });

/** Arguments of Node that run a program, which has the runner and what it is made of. */
const node = async (program: string) => [
  await bundleText(`
    import { KernelRunner } from './src/engines/wasm/runtime/kernel-runner';
    import { ThreadPool } from './src/engines/wasm/runtime/thread-pool';
    import { compileKernels, kernelNames } from './src/engines/wasm/runtime/kernels';
    ${program}`),
];

describe('ThreadPool', () => {
  it('reports a worker that crashes, and goes on with the next run', async () => {
    const threads = await pool({ patienceMs: 5000 });
    // Arguments beyond the memory: every worker that takes an item traps, this thread's part does nothing.
    let own = 0;
    const wait = () => {
      own++;
      const end = performance.now() + 20;
      while (performance.now() < end);
    };
    expect(() => threads.run('add', 2 ** 31 - 64, 12, wait)).toThrow(lost('crashed'));
    expect(own).toBeGreaterThan(0);
    expect(() => threads.run('add', 0, 12, () => {})).not.toThrow();
    threads.dispose();
  });

  it('reports a crash in its own part, and waits for the others first', async () => {
    const threads = await pool({ patienceMs: 5000 });
    // So many that workers cannot have taken all before this thread takes one; arguments of zeros are no work.
    expect(() =>
      threads.run('add', 0, 100_000, () => {
        throw new WebAssembly.RuntimeError('memory access out of bounds');
      }),
    ).toThrow(lost('crashed'));
    threads.dispose();
  });

  it('does not wait for ever for a worker that is gone, and then not at all', async () => {
    const threads = await pool({ patienceMs: 300 });
    const { workers } = threads as unknown as { workers: ReadonlyMap<number, { end(): void }> };
    for (const worker of workers.values()) worker.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const start = performance.now();
    expect(() => threads.run('add', 0, 2, () => {})).toThrow(lost('did not come back'));
    expect(performance.now() - start).toBeGreaterThan(250);
    const again = performance.now();
    expect(() => threads.run('add', 0, 2, () => {})).toThrow(lost('did not come back'));
    expect(performance.now() - again).toBeLessThan(50);
    threads.dispose();
    threads.dispose();
  });

  it('refuses a run at once after it was disposed', async () => {
    const threads = await pool({});
    threads.dispose();
    const start = performance.now();
    expect(() => threads.run('add', 0, 2, () => {})).toThrow(lost('dispose()'));
    expect(performance.now() - start).toBeLessThan(50);
  });

  it('does not take a pause of the whole program for a lost worker', { timeout: 60_000 }, async () => {
    // This thread's items are short and the worker's long, so that most pauses fall into the wait for it.
    const program = `
      const memory = new WebAssembly.Memory({ initial: 4000, maximum: 65536, shared: true });
      const module = await compileKernels({ shared: true });
      const options = { patienceMs: 400 };
      const pool = await ThreadPool.start({ threads: 2, module, memory, names: kernelNames }, options);
      const length = 30_000_000;
      new Uint32Array(memory.buffer, 64, 8).set([1024, 1024, 1024, 2 * length, length, 0, 0, 0]);
      const end = Date.now() + 4200;
      let runs = 0;
      for (; Date.now() < end; runs++) {
        pool.run("multiplyComponents", 64, 2, () => { for (const end = performance.now() + 1; performance.now() < end; ); });
        if (runs === 0) console.log('started');
      }
      console.log('done', runs);
      pool.dispose();`;
    const child = spawn(process.execPath, await node(program), { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const exit = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    for (let pauses = 0; pauses < 4; pauses++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      child.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 700));
      child.kill('SIGCONT');
    }
    expect(await exit, output.join('')).toBe(0);
    expect(output.join('')).toMatch(/^started\s+done [1-9]/);
  });

  it('goes on where its count of runs wraps around', async () => {
    const threads = await pool({ generation: 2 ** 31 - 3, patienceMs: 2000 });
    const own = new Set<number>();
    for (let run = 0; run < 6; run++) threads.run('add', 0, 50, (item) => own.add(item));
    threads.dispose();
  });

  it('lets a program end by itself that never disposed it', async () => {
    const program = `
      const runner = await KernelRunner.create({ threads: 3 });
      runner.needScratch(64);
      const address = runner.memory.allocateFloats(64);
      runner.run('multiplyComponents', [address, address, address, 64, 16, 0, 0, 0, 0, 0], 4);
      console.log(runner.threads);`;
    const { stdout } = await promisify(execFile)(process.execPath, await node(program), { timeout: 30_000 });
    expect(stdout.trim()).toBe('3');
  });
});

describe('the start of a worker', () => {
  const start = async (source: string, options: { limitMs?: number; signal?: AbortSignal } = {}) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const module = await compileKernels({ shared: true });
    const control = new Int32Array(new SharedArrayBuffer(64));
    const about = { module, memory, control, names: kernelNames, thread: 1, generation: 0 };
    return startWorker(about, { source, ...options });
  };
  const refusal = (message: string) =>
    expect.objectContaining({ code: 'THREADS_UNAVAILABLE', message: expect.stringContaining(message) });

  it.each([
    ['never answers', 'setInterval(() => {}, 1000)', 'did not answer within 0.4 seconds'],
    ['ends', 'process.exit(3)', 'ended with exit code 3'],
    ['throws', 'throw new Error("no way")', 'failed: no way'],
    [
      'answers something else',
      'require("node:worker_threads").parentPort.postMessage("no memory")',
      'no memory',
    ],
  ])('fails for one that %s', async (_, source, message) => {
    await expect(start(source, { limitMs: 400 })).rejects.toEqual(refusal(message));
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const starting = start('setInterval(() => {}, 1000)', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    await expect(start('', { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('prefers parentPort where self can post too, as in Bun and Deno', async () => {
    const { workerSource } = await import('../../../src/engines/wasm/runtime/worker-source');
    const worker = await start(`globalThis.self = { postMessage() {} };${workerSource}`);
    worker.end();
  });
});

describe('KernelRunner', () => {
  it('goes on with one thread and a warning where no other starts, unless a number was asked for', async () => {
    const program = (options: string) => `
      const warnings = [];
      const onWarning = ({ code }) => warnings.push(code);
      try {
        const runner = await KernelRunner.create({ onWarning, ${options} });
        console.log(runner.threads, warnings.join());
      } catch (error) {
        console.log(error.code, warnings.join());
      }`;
    // As Node's permission model forbids workers.
    const noWorkers = `
      import { createRequire } from 'node:module';
      const threads = createRequire(process.cwd() + '/')('node:worker_threads');
      threads.Worker = class { constructor() { throw new Error('Access to this API has been restricted'); } };`;
    const run = async (options: string) => {
      const args = await node(noWorkers + program(options));
      return (await promisify(execFile)(process.execPath, args, { timeout: 30_000 })).stdout.trim();
    };
    expect(await run('')).toBe('1 THREADS_UNAVAILABLE');
    expect(await run('threads: 2')).toBe('THREADS_UNAVAILABLE');
    expect(await run('threads: 1')).toBe('1');
  });

  it.skipIf(defaultThreads() === 1)(
    'frees what it has started if a listener of its warning throws',
    async () => {
      vi.stubGlobal('SharedArrayBuffer', undefined);
      const dispose = vi.spyOn(KernelRunner.prototype, 'dispose');
      try {
        const onWarning = () => {
          throw new Error('no');
        };
        await expect(KernelRunner.create({ onWarning })).rejects.toThrow('no');
        expect(dispose).toHaveBeenCalledOnce();
      } finally {
        vi.unstubAllGlobals();
        dispose.mockRestore();
      }
    },
  );

  it('refuses every use after it was disposed, at once', async () => {
    for (const threads of [1, 2]) {
      const runner = await KernelRunner.create({ threads });
      const address = runner.memory.allocateFloats(64);
      runner.dispose();
      runner.dispose();
      const disposed = expect.objectContaining({
        code: 'DISPOSED',
        message: expect.stringContaining('extractor'),
      });
      expect(() => runner.run('multiplyComponents', [address], 4)).toThrow(disposed);
      expect(() => runner.memory.allocate(64)).toThrow(disposed);
      expect(() => runner.memory.floats(address, 64)).toThrow(disposed);
      expect(() => runner.memory.release(address)).not.toThrow();
    }
  });
});
