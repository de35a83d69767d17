export type { Architecture } from './architectures/architecture';
export { type JohnsonOptions, johnson } from './architectures/johnson';
export { createGenerator, type Generator, type GeneratorParts } from './generator';
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
