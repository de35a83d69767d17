export { createWasmExtractor, type WasmExtractorOptions } from './wasm-extractor';
