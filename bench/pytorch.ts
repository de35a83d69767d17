import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { isPool } from '../src/features/network';
import type { ConvLayer } from '../src/features/vgg19/layers';
import { vgg19Network } from '../src/features/vgg19/network';
import { type Depth, type Scene, sceneLayers, type Weights } from './scene';

/** PyTorch at work on a scene in a process of its own. */
export interface PyTorch {
  readonly version: string;
  /** One evaluation of loss and gradient. */
  evaluate(layout: 'contiguous' | 'channels_last'): Promise<{ seconds: number; loss: number }>;
  /** The loop of PyTorch's tutorial. */
  tutorial(evaluations: number): Promise<{ seconds: number; loss: number; evaluations: number }>;
  dispose(): Promise<void>;
}

/**
 * A Python that has PyTorch: TFJS_STYLE_TRANSFER_PYTHON, .venv of this folder, or python3; undefined where none has.
 */
export function findPython(): string | undefined {
  const named = process.env.TFJS_STYLE_TRANSFER_PYTHON;
  const candidates = named ? [named] : [resolve('.venv/bin/python'), 'python3'];
  return candidates.find((python) => {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts bench/pytorch.py on a scene, with as many threads as the machine has. */
export async function startPyTorch(
  python: string,
  { size, content, style }: Scene,
  weights: Weights,
  depth: Depth,
): Promise<PyTorch> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-pytorch-'));
  const save = (name: string, ...parts: ArrayLike<number>[]) =>
    writeFile(
      join(folder, name),
      Buffer.concat(parts.map((part) => Buffer.from(Float32Array.from(part).buffer))),
    );
  let afterPool = false;
  const layers = [];
  for (const step of vgg19Network({ lastLayer: depth }).steps) {
    if (isPool(step)) afterPool = true;
    if (step.op !== 'conv') continue;
    layers.push({ name: step.name, in: step.channelsIn, out: step.channelsOut, afterPool });
    const found = weights.get(step.name as ConvLayer);
    if (found) await save(`${step.name}.f32`, found.kernel, found.bias);
    afterPool = false;
  }
  const wanted = sceneLayers(depth);
  await writeFile(
    join(folder, 'scene.json'),
    JSON.stringify({
      size,
      threads: availableParallelism(),
      layers,
      content: wanted.content,
      style: wanted.style,
    }),
  );
  await save('content.f32', await content.data());
  await save('style.f32', await style.data());

  const process = spawn(python, [resolve(import.meta.dirname, 'pytorch.py'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(process.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('bench/pytorch.py ended');
    return JSON.parse(value);
  };
  const ask = (command: string) => {
    process.stdin.write(`${command}\n`);
    return answer();
  };
  const { version } = await answer();
  return {
    version,
    evaluate: (layout) => ask(`evaluate ${layout}`),
    tutorial: (evaluations) => ask(`tutorial ${evaluations}`),
    async dispose() {
      process.stdin.end();
      await new Promise((resolve) => process.once('exit', resolve));
      await rm(folder, { recursive: true });
    },
  };
}
