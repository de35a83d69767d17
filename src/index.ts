export { type UseWasmOptions, useWasm } from './backends/use-wasm';
export type { WasmFile, WasmPaths } from './backends/wasm-binary';
export * from './color';
export * from './engines';
export type { ErrorCode, WarningCode } from './error-codes';
export * from './errors';
export * from './features';
export { registerGradients } from './gradients';
export * from './image';
export * from './losses';
export * from './metrics';
export {
  createObjective,
  type Evaluation,
  type Objective,
  type ObjectiveExtractor,
  type ObjectiveOptions,
} from './objective';
export * from './optim';
export * from './storage';
export * from './styles';
export type { ColorChoice } from './transfer/color';
export {
  type MakeStyle,
  type MakeStyleOptions,
  makeStyle,
  type StyleEvent,
  type StyleInputs,
  type StyleProgress,
} from './transfer/make-style';
export type { StyleTransferOptions } from './transfer/options';
export { pngWithSettings, readPngSettings } from './transfer/png-settings';
export { type LossTargets, type PresetTargets, presetLoss } from './transfer/preset-loss';
export {
  defaultPreset,
  getPreset,
  type Preset,
  type PresetName,
  type PresetScales,
  type PresetStyle,
  presetNames,
} from './transfer/presets';
export type {
  InterruptedEvent,
  PrepareEvent,
  ProgressListener,
  RunPlan,
  StageFacts,
  StartEvent,
  StepEvent,
  StyleTransferProgress,
  WarningEvent,
} from './transfer/progress';
export type { Region } from './transfer/regions';
export type { RunFacts } from './transfer/run-facts';
export { type SaveStyle, type StyleWriter, saveStyle } from './transfer/save-style';
export type { Scale, Scales } from './transfer/scales';
export type {
  GeneratorRecord,
  ImageRecord,
  MethodRecord,
  NetworkRecord,
  RecordedOptions,
  RegionRecord,
  SettingsRecord,
  StageRecord,
  StyleRecord,
} from './transfer/settings-record';
export type { HistoryEntry } from './transfer/stage';
export { type StyleTransfer, type StyleTransferResult, styleTransfer } from './transfer/style-transfer';
export type { StyleEntry, StyleInput } from './transfer/styles';
export type { Balance, StyleLayerWeights } from './transfer/weigh';
