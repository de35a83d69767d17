/** Progress of reading weights. */
export interface WeightsProgress {
  readonly type: 'weights';
  /** The file or layer being read. */
  readonly name: string;
  readonly loadedBytes: number;
  /** Undefined if the server does not state it. */
  readonly totalBytes: number | undefined;
  /** Estimated from the rate so far; undefined until there is one. */
  readonly secondsLeft: number | undefined;
}

/** A problem that did not prevent the weights from being read. */
export interface WeightsWarning {
  /** Stable under semver: `'CACHE_READ_FAILED'`, `'CACHE_WRITE_FAILED'`, `'CACHE_CORRUPT'`. */
  readonly code: string;
  readonly message: string;
}

/**
 * Reports the bytes of several files as one progress, at most ten times a second, with an estimate of the time left.
 */
export class ProgressMeter {
  private readonly started = performance.now();
  private toldAt = -Infinity;
  private toldBytes = -1;
  private done = 0;
  /** Bytes of the first report, which do not count for the rate, because they may come from a cache or a disk. */
  private startBytes: number | undefined;

  constructor(
    private readonly onProgress: ((progress: WeightsProgress) => void) | undefined,
    private readonly totalBytes: number | undefined,
  ) {}

  /** Reports that `bytes` of the current file have arrived, in addition to the finished files. */
  report(name: string, bytes: number): void {
    this.tell(name, this.done + bytes);
  }

  /** Reports that a file is complete with `bytes`. */
  finish(name: string, bytes: number): void {
    this.done += bytes;
    this.tell(name, this.done);
  }

  private tell(name: string, loadedBytes: number): void {
    if (!this.onProgress || loadedBytes === this.toldBytes) return;
    const now = performance.now();
    if (now - this.toldAt < 100 && loadedBytes !== this.totalBytes) return;
    [this.toldAt, this.toldBytes] = [now, loadedBytes];
    this.startBytes ??= loadedBytes;
    const rate = (loadedBytes - this.startBytes) / (now - this.started);
    const left = this.totalBytes === undefined ? undefined : Math.max(0, this.totalBytes - loadedBytes);
    const secondsLeft = left === undefined || !(rate > 0) ? undefined : left / rate / 1000;
    this.onProgress({ type: 'weights', name, loadedBytes, totalBytes: this.totalBytes, secondsLeft });
  }
}
