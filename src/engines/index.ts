export type {
  Engine,
  EngineExtractor,
  EngineLoadOptions,
  GeneratorProgram,
  GeneratorRunOptions,
  GramMatrices,
  GramMatricesOptions,
  LoadedGenerator,
  MemoryPlan,
  MemoryRequest,
} from './engine';
export type { EngineChoice, EngineOptions } from './engine-options';
export type { EngineName } from './list';
export { type LoadedExtractor, type LoadVgg19Options, loadVgg19 } from './load-vgg19';
export { tfjs } from './tfjs/tfjs-engine';
export type { WasmEngineOptions } from './wasm/options';
export { wasm } from './wasm/wasm-engine';
export type { WebgpuEngineOptions } from './webgpu/options';
export { webgpu } from './webgpu/webgpu-engine';
