import type { CheckedCache } from './checked-cache';
import type { Receiver } from './receiver';

/** Keeps what has arrived of a download in the cache, so that it can go on in another session, a killed one's included. */
export class PartialKeeper {
  private kept = 0;
  private keptAt = performance.now();
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly receiver: Receiver,
    private readonly key: string,
    private readonly cache: CheckedCache,
  ) {}

  /** Puts what an earlier session received into the receiver; tells whether there was any. */
  async restore(): Promise<boolean> {
    const partial = await this.cache.readPartial(this.key);
    if (!partial || partial.bytes.length > (this.receiver.length ?? this.receiver.limit)) return false;
    this.receiver.put(0, partial.bytes);
    this.receiver.version = partial.version;
    this.kept = partial.bytes.length;
    return this.kept > 0;
  }

  /** Called with every chunk; writes every two seconds at most. */
  keepNowAndThen(): void {
    if (performance.now() - this.keptAt < 2000) return;
    this.keptAt = performance.now();
    this.writing = this.writing.then(() => this.write());
  }

  /** Writes what has arrived. */
  async keep(): Promise<void> {
    await this.writing;
    if (this.receiver.filled === 0) await this.remove();
    else await this.write();
  }

  /** Removes what was kept: the file is complete or wrong. */
  async remove(): Promise<void> {
    await this.writing;
    if (this.kept > 0) await this.cache.deletePartial(this.key);
    this.kept = 0;
  }

  private async write(): Promise<void> {
    const { bytes, version } = this.receiver;
    if (bytes.length === this.kept) return;
    this.kept = bytes.length;
    await this.cache.writePartial(this.key, { bytes, version });
  }
}
