import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Engine, loadVgg19, tfjs, wasm } from '../../src';
import { enginesFor } from '../../src/engines/engine-options';
import { defaultThreads, mostThreads } from '../../src/engines/wasm/runtime/thread-count';
import { vgg19Network } from '../../src/features/vgg19/network';

const weights = 'embedded';
const withoutSimd = () => vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);

beforeEach(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => void vi.restoreAllMocks());

describe("loadVgg19's engine", () => {
  it("is, under 'auto', the library's kernels on wasm and cpu, and tfjs on every other backend", () => {
    const names = (backend: string) => enginesFor({}, backend).map(({ name }) => name);
    for (const backend of ['cpu', 'wasm']) expect(names(backend)).toEqual(['wasm', 'tfjs']);
    for (const backend of ['webgl', 'webgpu', 'tensorflow']) expect(names(backend)).toEqual(['tfjs']);
    withoutSimd();
    for (const backend of ['cpu', 'wasm', 'webgl']) expect(names(backend)).toEqual(['tfjs']);
  });

  it("is, under 'auto' with several threads, none but the one that has threads", () => {
    const unavailable = (message: string) =>
      expect.objectContaining({
        code: 'THREADS_UNAVAILABLE',
        option: 'threads',
        message: expect.stringContaining(message),
      });
    expect(enginesFor({ threads: 2 }, 'cpu').map(({ name }) => name)).toEqual(['wasm']);
    expect(enginesFor({ threads: 1 }, 'webgl').map(({ name }) => name)).toEqual(['tfjs']);
    expect(() => enginesFor({ threads: 2 }, 'webgl')).toThrow(unavailable('the backend webgl'));
    withoutSimd();
    expect(() => enginesFor({ threads: 2 }, 'cpu')).toThrow(unavailable('which needs WebAssembly with SIMD'));
  });

  it.each(['cpu', 'wasm'])(
    "is 'wasm' under 'auto' on %s, and says how many threads compute",
    async (backend) => {
      await tf.setBackend(backend);
      const extractor = await loadVgg19({ weights, threads: 2 });
      expect(extractor).toMatchObject({ engine: 'wasm', threads: 2, embedded: true });
      extractor.dispose();
    },
  );

  it("is tfjs under 'auto' without SIMD, and a warning says so", async () => {
    withoutSimd();
    const warnings: unknown[] = [];
    const extractor = await loadVgg19({ weights, onWarning: (warning) => void warnings.push(warning) });
    expect(extractor.engine).toBe('tfjs');
    expect(warnings).toEqual([
      {
        code: 'ENGINE_UNAVAILABLE',
        message: "Engine 'tfjs' computes in place of 'wasm', which needs WebAssembly with SIMD.",
      },
    ]);
    extractor.dispose();
  });

  it('is the one that was chosen, by name or as a value', async () => {
    const chosen = ['tfjs', 'wasm', tfjs(), wasm({ threads: 1 })] as const;
    const found = [];
    for (const engine of chosen) {
      const extractor = await loadVgg19({ weights, engine });
      found.push(extractor.engine);
      extractor.dispose();
    }
    expect(found).toEqual(['tfjs', 'wasm', 'tfjs', 'wasm']);
  });

  it('may be one of the caller’s, which gets the network', async () => {
    const load = vi.fn(tfjs().load);
    const engine: Engine = { ...tfjs(), name: 'my own', load };
    const extractor = await loadVgg19({ weights, engine, lastLayer: 'conv1_1' });
    expect(load).toHaveBeenCalledOnce();
    extractor.dispose();
  });

  it('fails with a reason where a chosen engine does not run here, before weights are read', async () => {
    const unread = { name: 'unread', convention: 'caffe', read: vi.fn() } as const;
    withoutSimd();
    await expect(loadVgg19({ weights: unread, engine: 'wasm' })).rejects.toMatchObject({
      code: 'NO_SIMD',
      option: 'engine',
      message: "engine is 'wasm', which needs WebAssembly with SIMD, or engine 'auto'.",
    });
    const engine: Engine = { ...tfjs(), name: 'quantum', unsupported: () => 'a quantum computer' };
    await expect(loadVgg19({ weights: unread, engine })).rejects.toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: expect.stringContaining('a quantum computer'),
    });
    expect(unread.read).not.toHaveBeenCalled();
  });

  it("is tfjs with a warning where the preferred one does not start under 'auto', and an error where it was chosen", async () => {
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('blocked by policy'));
    const onWarning = vi.fn();
    const extractor = await loadVgg19({ weights, onWarning });
    expect(extractor.engine).toBe('tfjs');
    expect(onWarning).toHaveBeenCalledWith({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(/^Engine 'tfjs' computes in place of 'wasm'\. .*blocked by policy/),
    });
    extractor.dispose();
    await expect(loadVgg19({ weights, engine: 'wasm' })).rejects.toMatchObject({ code: 'NO_WASM' });
  });

  it('refuses more threads than the processor has, from 8 on', async () => {
    const most = mostThreads();
    expect(most).toBeGreaterThanOrEqual(8);
    await expect(loadVgg19({ weights, threads: most + 1 })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      accepted: `a whole number from 1 to ${most}`,
    });
  });

  it.each([
    [{ engine: 'wsam' }, { code: 'UNKNOWN_NAME', message: expect.stringContaining("did you mean 'wasm'") }],
    [{ engine: { name: 'half' } }, { code: 'UNKNOWN_NAME', option: 'engine' }],
    [
      { engine: 'tfjs', threads: 2 },
      { code: 'CONFLICTING_OPTIONS', option: 'threads' },
    ],
    [
      { engine: 'tfjs', relaxedSimd: true },
      { code: 'CONFLICTING_OPTIONS', option: 'relaxedSimd' },
    ],
    [
      { engine: wasm(), threads: 2 },
      { code: 'CONFLICTING_OPTIONS', option: 'threads' },
    ],
    [{ threads: 0 }, { code: 'OUT_OF_RANGE', option: 'threads' }],
    [{ lastLayer: 'conv1_3' }, { code: 'UNKNOWN_NAME', option: 'lastLayer' }],
  ])('refuses %o', async (options, refusal) => {
    if ('relaxedSimd' in options) vi.spyOn(WebAssembly, 'validate').mockReturnValue(true);
    await expect(loadVgg19({ weights, ...(options as object) })).rejects.toMatchObject(refusal);
  });

  it('rejects with what a listener throws or rejects with, and lets nothing go unheard', async () => {
    const unheard: unknown[] = [];
    const listen = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', listen);
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('blocked'));
    for (const onWarning of [
      () => {
        throw new Error('no');
      },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error('no');
      },
    ]) {
      const before = tf.memory().numTensors;
      await expect(loadVgg19({ weights, onWarning })).rejects.toThrow('no');
      expect(tf.memory().numTensors).toBe(before);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', listen);
    expect(unheard).toEqual([]);
  });

  it('refuses a network with an operation that it does not have, by name', async () => {
    const network = vgg19Network({ lastLayer: 'conv1_1' });
    const steps = [...network.steps, { op: 'tanh', name: 'tanh1_1' } as never];
    const loaded = { network: { ...network, steps }, weights: new Map(), weightsName: 'none' };
    const before = tf.memory().numTensors;
    for (const engine of [tfjs(), wasm({ threads: 1 })])
      await expect(engine.load(loaded)).rejects.toMatchObject({
        name: 'WeightsError',
        code: 'UNSUPPORTED_NETWORK',
        message: expect.stringMatching(
          `The ${engine.name} engine has no operation 'tanh', which tanh1_1 needs`,
        ),
      });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says how many threads compute, whichever it is', async () => {
    for (const [backend, engine, threads] of [
      ['cpu', 'tfjs', 1],
      ['wasm', 'tfjs', 1],
      ['cpu', wasm({ threads: 2 }), 2],
    ] as const) {
      await tf.setBackend(backend);
      const extractor = await loadVgg19({ weights, engine });
      expect(extractor.threads).toBe(threads);
      extractor.dispose();
    }
  });

  it('goes on with one thread and a warning where no other starts, and fails where a number was asked for', async () => {
    vi.spyOn(process.getBuiltinModule('node:worker_threads'), 'Worker').mockImplementation(() => {
      throw new Error('Access to this API has been restricted');
    });
    const codes: string[] = [];
    const onWarning = ({ code }: { code: string }) => void codes.push(code);
    const extractor = await loadVgg19({ weights, onWarning });
    expect(extractor).toMatchObject({ engine: 'wasm', threads: 1 });
    expect(codes).toEqual(defaultThreads() > 1 ? ['THREADS_UNAVAILABLE'] : []);
    extractor.dispose();
    await expect(loadVgg19({ weights, threads: 2 })).rejects.toMatchObject({ code: 'THREADS_UNAVAILABLE' });
  });
});
