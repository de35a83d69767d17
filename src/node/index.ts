export type { ColorChoice } from '../transfer/color';
export type { Scale, Scales } from '../transfer/scales';
export { type DirectoryWeightsOptions, directoryWeights } from './directory-weights';
export { defaultCacheFolder, diskCache } from './disk-cache';
export { evaluate, type NodeEvaluateOptions } from './evaluate';
export {
  loadGenerator,
  type NodeGeneratorDestination,
  openGenerator,
  saveGenerator,
  stylize,
} from './generators';
export type { NodeImageInput } from './image-input';
export { loadVgg19 } from './load-vgg19';
export { type NodeWeightsOptions, nodeWeights } from './node-weights';
export { type ReadImageOptions, readImage } from './read-image';
export { type ReadSettingsRecordOptions, readSettingsRecord } from './read-settings-record';
export type { ImageSource } from './source-bytes';
export { type NodeStyleTransferOptions, styleTransfer } from './style-transfer';
export { loadStyle, makeStyle, type NodeStyleDestination, type NodeStyleSource, saveStyle } from './styles';
export { type NodeTrainGeneratorOptions, trainGenerator } from './train-generator';
export { useTfjsNode } from './use-tfjs-node';
export { type UseWasmOptions, useWasm } from './use-wasm';
export { type UseWebgpuOptions, useWebgpu } from './use-webgpu';
export type { FilmFileOptions, StyleVideoFileOptions } from './video/options';
export type {
  FilmProgress,
  FilmProgressListener,
  FilmStepEvent,
  FramePaintedEvent,
} from './video/progress';
export { type StyledFilm, styleVideoFile } from './video/style-video-file';
export {
  type EncodeImageOptions,
  encodeImage,
  type ImageFormat,
  requireWritable,
  type WriteImageOptions,
  writeImage,
} from './write-image';
