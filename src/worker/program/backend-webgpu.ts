import '@tensorflow/tfjs-backend-webgpu';
import { registerBackend, startRegistered } from './backends';

registerBackend('webgpu', () => startRegistered('webgpu'));
