import { createHash } from 'node:crypto';
import type { Job } from './job';

/** A job with its id: SHA-256 of what it is, in whatever order its fields are, cut to 32 hexadecimal digits. */
export function withId(job: Omit<Job, 'id'>): Job {
  const id = createHash('sha256')
    .update(canonical({ ...job, preview: undefined }))
    .digest('hex')
    .slice(0, 32);
  return { id, ...job };
}

/** JSON with sorted keys, and without fields that are undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
