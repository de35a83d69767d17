import '@tensorflow/tfjs-backend-cpu';
import { registerBackend, startRegistered } from './backends';

registerBackend('cpu', () => startRegistered('cpu'));
