export * from './errors';
export * from './features';
export { registerGradients } from './gradients';
export * from './image';
export * from './losses';
export * from './metrics';
export { createObjective, type Evaluation, type Objective } from './objective';
export * from './optim';
export { type LossTargets, presetLoss } from './preset-loss';
export { defaultPreset, getPreset, type Preset, type PresetName, presetNames } from './presets';
export type {
  InterruptedEvent,
  ProgressListener,
  StartEvent,
  StepEvent,
  StyleTransferProgress,
  WarningEvent,
} from './progress';
export { type HistoryEntry, type StyleTransferResult, styleTransfer } from './style-transfer';
export type { StyleTransferOptions } from './style-transfer-options';
