export { createWasmExtractor } from './wasm-extractor';
