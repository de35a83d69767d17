export { temporalLoss } from '../losses/temporal-loss';
export type { Scale, Scales } from '../transfer/scales';
export { flowReliability } from './flow-reliability';
export { opticalFlow } from './optical-flow';
export type { FlowMethod, PaintedFrame, StyleVideoOptions, TemporalOptions } from './options';
export type { FrameStartEvent, FrameStepEvent, VideoProgress, VideoProgressListener } from './progress';
export { type StyledFrame, type StyleVideo, styleVideo } from './style-video';
export { type Flow, warp } from './warp';
