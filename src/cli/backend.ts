import * as tf from '@tensorflow/tfjs-core';
import { physicalCores } from '../engines/wasm/runtime/physical-cores';
import { EnvironmentError } from '../errors';
import { maxWasmThreads } from '../node/threaded-wasm';
import { useTfjsNode } from '../node/use-tfjs-node';
import { useWasm } from '../node/use-wasm';

/** The backends of TensorFlow.js that the command can set up, the default first. */
export const backends = ['wasm', 'cpu', 'tensorflow'] as const;

/** Makes a backend active. */
export const useBackend: Readonly<
  Record<(typeof backends)[number], (threads: number | undefined) => Promise<void>>
> = {
  wasm: (threads = physicalCores()) => useWasm({ threads: Math.min(threads, maxWasmThreads) }),
  tensorflow: useTfjsNode,
  async cpu() {
    try {
      await import('@tensorflow/tfjs-backend-cpu');
    } catch (cause) {
      const accepted = `@tensorflow/tfjs-backend-cpu ${tf.version_core}`;
      throw new EnvironmentError(
        'NO_BACKEND',
        `The cpu backend is not installed: npm install @tensorflow/tfjs-backend-cpu@${tf.version_core}`,
        { option: 'backend', value: 'cpu', accepted, cause },
      );
    }
    await tf.setBackend('cpu');
  },
};
