/** What clients may ask of the server. */
export interface Limits {
  /** Bytes of an uploaded picture. */
  readonly fileBytes: number;
  /** Pixels of an uploaded picture. */
  readonly pixels: number;
  /** Milliseconds for an upload, from its first byte to its last. */
  readonly uploadMs: number;
  /** Uploads received at once. */
  readonly uploadsAtOnce: number;
  /** Requests of an address in a minute. */
  readonly requestsAMinute: number;
  /** Jobs that wait for a worker, of all clients. */
  readonly waitingJobs: number;
  /** Longer side of a result in pixels, and iterations. */
  readonly size: number;
  readonly iterations: number;
  /** Milliseconds that uploads and pictures are kept; those of a job that has not ended stay longer. */
  readonly keepMs: number;
}

export const defaultLimits: Limits = {
  fileBytes: 20e6,
  pixels: 50e6,
  uploadMs: 60_000,
  uploadsAtOnce: 32,
  requestsAMinute: 120,
  waitingJobs: 1000,
  size: 1024,
  iterations: 500,
  keepMs: 24 * 3600_000,
};
