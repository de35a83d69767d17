/*! tfjs-backend-wasm-simd.wasm of TensorFlow.js, Copyright Google LLC, Apache License 2.0 (apache.org/licenses) */
export { default } from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm';
