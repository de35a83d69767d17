import { version } from '../../package.json';
import { StyleTransferError } from '../errors';
import type { FailedRecord, Job, JobError } from './job';

/** What a record tells about the work on a job. */
export const workFacts = (begun: number, inputs: Readonly<Record<string, string>> = {}) => ({
  inputs,
  seconds: (performance.now() - begun) / 1000,
  ended: new Date().toISOString(),
  library: version,
});

/** The record of a job that failed. @param begun when it began, by `performance.now()` */
export function failedRecord(
  job: Job,
  error: unknown,
  { begun, inputs }: { readonly begun: number; readonly inputs?: Readonly<Record<string, string>> },
): FailedRecord {
  return { ...job, state: 'failed', ...workFacts(begun, inputs), error: errorOf(error) };
}

function errorOf(error: unknown): JobError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  return error instanceof StyleTransferError ? { name, code: error.code, message } : { name, message };
}
