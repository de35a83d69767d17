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

/** Reports that so many bytes of a read have arrived, the last of them of the file `name`. */
export type ProgressMeter = (name: string, loadedBytes: number) => void;

/** A meter that reports at most ten times a second, and at the end, with an estimate of the time left. */
export function progressMeter(
  onProgress: ((progress: WeightsProgress) => void) | undefined,
  totalBytes: number,
): ProgressMeter {
  const started = performance.now();
  let [toldAt, toldBytes] = [-Infinity, -1];
  /** Bytes of the first report, which do not count for the rate, because they may come from a cache or a disk. */
  let startBytes: number | undefined;
  return (name, loadedBytes) => {
    const now = performance.now();
    if (!onProgress || loadedBytes === toldBytes) return;
    if (now - toldAt < 100 && loadedBytes !== totalBytes) return;
    [toldAt, toldBytes] = [now, loadedBytes];
    startBytes ??= loadedBytes;
    const rate = (loadedBytes - startBytes) / (now - started);
    const secondsLeft = rate > 0 ? Math.max(0, totalBytes - loadedBytes) / rate / 1000 : undefined;
    onProgress({ type: 'weights', name, loadedBytes, totalBytes, secondsLeft });
  };
}
