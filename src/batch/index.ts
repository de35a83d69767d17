export type { Backend } from '../node/start-backend';
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
  JobMoveEvent,
  JobStepEvent,
  JobWarningEvent,
  PaintOptions,
} from './painter';
export {
  type FollowOptions,
  type JobQueue,
  type JobStatus,
  openQueue,
  type QueueCounts,
} from './queue/job-queue';
export { followBatch } from './queue/queue-painter';
export type { JobProgress, QueuedJob } from './queue/queued-job';
export { type WorkOptions, work } from './queue/work';
export { type Store, type StoreOptions, storeOf } from './stores';
