/**
 * The build for pages without a bundler, `dist/page.js`: the library with tfjs-core and the wasm backend in one file.
 * Everything is as in the library's root, but `styleTransfer` paints in a Web Worker, which runs this same file.
 */
export * as tf from '@tensorflow/tfjs-core';
export { loadGenerator } from '../generators/file/load-generator';
export * from '../index';
export { styleTransfer as blockingStyleTransfer } from '../index';
export type * from '../worker';
export { toImageBitmap } from '../worker/to-image-data';
export { serveStyleWorker } from './serve-style-worker';
export { createStyleWorker, styleTransfer, stylize } from './style-worker-of-page';
export { toImageData } from './to-image-data';
