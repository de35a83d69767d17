import type { ReadWeightsOptions } from '../features/vgg19/source';

/** Tells `onProgress` how many of the wanted bytes are there, a few times a second, and when the rest is to be expected. */
export class ProgressMeter {
  private readonly started = performance.now();
  private told = -Infinity;
  private toldBytes = -1;
  private done = 0;
  /** Bytes that were there at once (from a cache, a disk): they say nothing of the rate. */
  private startBytes: number | undefined;

  constructor(
    private readonly onProgress: ReadWeightsOptions['onProgress'],
    private readonly totalBytes: number | undefined,
  ) {}

  /** `bytes` of what is being read have arrived, on top of all that {@link finish} was told. */
  report(name: string, bytes: number): void {
    this.tell(name, this.done + bytes);
  }

  /** `bytes` are complete. */
  finish(name: string, bytes: number): void {
    this.done += bytes;
    this.tell(name, this.done);
  }

  private tell(name: string, loadedBytes: number): void {
    if (!this.onProgress || loadedBytes === this.toldBytes) return;
    const now = performance.now();
    if (now - this.told < 100 && loadedBytes !== this.totalBytes) return;
    [this.told, this.toldBytes] = [now, loadedBytes];
    this.startBytes ??= loadedBytes;
    const seconds = (now - this.started) / 1000;
    const rate = (loadedBytes - this.startBytes) / seconds;
    const secondsLeft =
      this.totalBytes === undefined || !(rate > 0)
        ? undefined
        : Math.max(0, this.totalBytes - loadedBytes) / rate;
    this.onProgress({ type: 'weights', name, loadedBytes, totalBytes: this.totalBytes, secondsLeft });
  }
}
