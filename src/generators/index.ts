export {
  type OpenGenerator,
  type OpenGeneratorOn,
  type OpenGeneratorOptions,
  type OpenRunOptions,
  openGenerator,
} from '../engines/open-generator';
export { predictStyle } from '../engines/predict-style';
export { createGenerator, type Generator, type GeneratorParts } from '../features/generator';
export type {
  DepthwiseConvStep,
  GlobalAveragePoolStep,
  PredictorStep,
  Relu6Step,
  StylePredictor,
} from '../features/style-predictor';
export type { GeneratorSizes } from '../image/pad-image';
export type { FileSource, LoadFileOptions } from '../storage/file-source';
export { type ArbitraryOptions, arbitrary } from './architectures/arbitrary';
export type { Architecture } from './architectures/architecture';
export { type JohnsonOptions, johnson } from './architectures/johnson';
export { type MultiStyleOptions, multiStyle } from './architectures/multi-style';
export { type TextureNetOptions, textureNet } from './architectures/texture-net';
export { type ConvertGeneratorOptions, convertGenerator } from './convert';
export { type EncodeGeneratorOptions, encodeGenerator } from './file/encode-generator';
export { type GeneratorSource, type LoadGeneratorOptions, loadGenerator } from './file/load-generator';
export { type SaveGenerator, saveGenerator } from './file/save-generator';
export {
  type FromModelOptions,
  fromModel,
  type ImageModel,
  type ModelLayout,
} from './from-model';
export type { StyleWeights } from './style-vector';
export {
  type Stylize,
  type StylizeOptions,
  type StylizeProgress,
  type StylizeResult,
  type StylizeStartEvent,
  stylize,
} from './stylize';
export { type BrowserCheckpoint, browserCheckpoint } from './training/browser-checkpoint';
export type { CheckpointStore } from './training/checkpoint';
export type { TrainGeneratorOptions } from './training/options';
export type {
  TrainingInterruptedEvent,
  TrainingPreviewEvent,
  TrainingProgress,
  TrainingStartEvent,
  TrainingStepEvent,
} from './training/progress';
export type { TrainingStage } from './training/stages';
export { type TrainGenerator, trainGenerator } from './training/train-generator';
export type { ValueRange } from './value-range';
