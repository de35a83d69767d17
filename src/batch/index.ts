export type { Scale, Scales } from '../transfer/scales';
export { batch } from './batch';
export type { BatchOptions, BatchPair } from './batch-options';
export type {
  BatchRecord,
  DoneRecord,
  FailedRecord,
  Job,
  JobError,
  JobPreview,
  JobRecord,
  JobRegion,
  JobSettings,
} from './job';
export type {
  BatchProgress,
  BatchSizeEvent,
  BatchStartEvent,
  JobStepEvent,
  JobWarningEvent,
} from './painter';
