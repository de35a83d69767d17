import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Scene, Weights } from '../scene';

/** What PyTorch measured on its device. */
export interface OnDevice {
  readonly size: number;
  readonly device: string;
  /** Precision and layout. */
  readonly how: string;
  readonly ms: number;
  readonly loss: number;
}

/** A Python whose PyTorch has CUDA: TFJS_STYLE_TRANSFER_PYTHON, or python3; undefined where neither has. */
export function findPython(): string | undefined {
  return [process.env.TFJS_STYLE_TRANSFER_PYTHON, 'python3'].find((python) => {
    try {
      const hasCuda = 'import sys, torch; sys.exit(not torch.cuda.is_available())';
      if (python) execFileSync(python, ['-c', hasCuda], { stdio: 'ignore' });
      return python !== undefined;
    } catch {
      return false;
    }
  });
}

/** Runs torch.py, which lies beside this file or beside the pack's program, on the same weights and pictures. */
export async function torchOnDevice(
  python: string,
  weights: Weights,
  scenes: readonly Scene[],
  limitMs: number,
): Promise<OnDevice[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-device-'));
  try {
    const save = (name: string, parts: readonly Float32Array[]) =>
      writeFile(join(folder, name), Buffer.concat(parts.map(({ buffer }) => Buffer.from(buffer))));
    for (const [name, { kernel, bias }] of weights)
      await save(`${name}.f32`, [Float32Array.from(kernel), Float32Array.from(bias)]);
    for (const { size, content, style } of scenes) {
      await save(`content-${size}.f32`, [Float32Array.from(await content.data())]);
      await save(`style-${size}.f32`, [Float32Array.from(await style.data())]);
    }
    const beside = resolve(import.meta.dirname, 'torch.py');
    const script = existsSync(beside) ? beside : resolve(import.meta.dirname, 'device/torch.py');
    const sizes = scenes.map(({ size }) => size).join(',');
    const run = promisify(execFile)(python, [script, folder, sizes], { timeout: limitMs });
    const { stdout } = await run.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as OnDevice);
  } finally {
    await rm(folder, { recursive: true });
  }
}
