import '@tensorflow/tfjs-backend-webgl';
import { registerBackend, startRegistered } from './backends';

registerBackend('webgl', () => startRegistered('webgl'));
