import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { GeneratorNetwork } from '../src/features/generator-network';
import { generatorParameters, parameterVector } from '../src/features/generator-parameters';
import type { NamedTensors } from '../src/features/network';

/** A generator in ONNX Runtime, in a process of its own. */
export interface OnnxPeer {
  readonly version: string;
  /** Computes an image [size][size][3]. */
  run(
    size: number,
    image: Float32Array,
  ): Promise<{ readonly seconds: number; readonly painted: Float32Array }>;
  dispose(): Promise<void>;
}

/**
 * A Python that has ONNX Runtime and onnx: TFJS_STYLE_TRANSFER_ONNX_PYTHON, .venv of this folder, or python3; undefined
 * where none has.
 */
export function findOnnxPython(): string | undefined {
  const named = process.env.TFJS_STYLE_TRANSFER_ONNX_PYTHON;
  const candidates = named ? [named] : [resolve('.venv/bin/python'), 'python3'];
  return candidates.find((python) => {
    try {
      execFileSync(python, ['-c', 'import onnx, onnxruntime'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts bench/onnx-peer.py on a network. */
export async function startOnnxPeer(
  python: string,
  network: GeneratorNetwork,
  weights: NamedTensors,
  threads: number,
): Promise<OnnxPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-onnx-'));
  const save = (name: string, values: Float32Array) =>
    writeFile(join(folder, name), Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  const description = { network, parameters: generatorParameters(network), threads };
  await writeFile(join(folder, 'network.json'), JSON.stringify(description));
  await save('parameters.f32', parameterVector(network, weights));
  const python3 = spawn(python, [resolve(import.meta.dirname, 'onnx-peer.py'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(python3.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('bench/onnx-peer.py ended');
    return JSON.parse(value);
  };
  const { version } = await answer();
  return {
    version,
    async run(size, image) {
      await save('image.f32', image);
      python3.stdin.write(`run ${size}\n`);
      const { seconds } = await answer();
      const bytes = await readFile(join(folder, 'painted.f32'));
      return { seconds, painted: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
    },
    async dispose() {
      python3.stdin.end();
      await new Promise((resolve) => python3.once('exit', resolve));
      await rm(folder, { recursive: true });
    },
  };
}
