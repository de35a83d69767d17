import { version } from '../../../package.json';
import { StyleTransferError } from '../../errors';
import type { FailedRecord } from '../job';
import type { QueuedJob } from './queued-job';

/** The record of a job that ended with an error outside of the run itself. */
export function failedRecord({ job }: QueuedJob, thrown: unknown): FailedRecord {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = thrown instanceof StyleTransferError ? thrown.code : undefined;
  const ended = new Date().toISOString();
  const { inputs = {} } = job;
  return {
    ...job,
    state: 'failed',
    inputs,
    seconds: 0,
    ended,
    library: version,
    error: { name, code, message },
  };
}
