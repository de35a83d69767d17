import type { ErrorCode } from '../../error-codes';
import type { JobError } from '../job';

/** Codes of failures that another attempt, on another machine or later, may not meet. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CACHE_CORRUPT',
  'DEVICE_LOST',
  'DOWNLOAD_FAILED',
  'NOT_WRITABLE',
  'NO_BACKEND',
  'NO_SHARP',
  'NO_SIMD',
  'OUT_OF_MEMORY',
  'READ_FAILED',
  'STORE_UNAVAILABLE',
  'THREADS_UNAVAILABLE',
  'WORKER_LOST',
  'WORKER_UNAVAILABLE',
]);

/** Whether a job that failed so is worth another attempt. What is no error of this library may be anything. */
export const mayPass = ({ code }: JobError): boolean => code === undefined || passing.has(code);
