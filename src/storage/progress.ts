/** How far reading weights has come. */
export interface WeightsProgress {
  readonly type: 'weights';
  /** The file or layer that is read. */
  readonly name: string;
  readonly loadedBytes: number;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
  /** Estimated from the rate so far; undefined until there is one. */
  readonly secondsLeft: number | undefined;
}

/** Something worth telling that did not prevent the weights from being read. */
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
  /** Bytes of the first report: they came from a cache or a disk and say nothing about the rate of a download. */
  private startBytes: number | undefined;

  constructor(
    private readonly onProgress: ((progress: WeightsProgress) => void) | undefined,
    private readonly totalBytes: number | undefined,
  ) {}

  /** `bytes` of the file that is being read have arrived, on top of what {@link finish} was told. */
  report(name: string, bytes: number): void {
    this.tell(name, this.done + bytes);
  }

  /** A file is complete with `bytes`. */
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
