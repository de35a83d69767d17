import '@tensorflow/tfjs-backend-wasm';
import { useWasm } from '../../backends/use-wasm';
import { registerBackend } from './backends';

registerBackend('wasm', (paths) => useWasm({ paths }));
