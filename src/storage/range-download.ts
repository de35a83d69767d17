import { WeightsError } from '../errors';
import { showUrl } from '../options/show';
import type { ByteRange, Bytes } from './byte-store';
import { Download, type Transport, wrongSize } from './download';
import { RangePicker } from './range-picker';
import { PassingFailure } from './retry';

/** Parts of one version of a file that is on a server. */
export interface VersionedPieces {
  /** The server's name of the version; `transfer ...` for the bytes of one transfer from a server that names none. */
  readonly version: string | undefined;
  /** A piece for each range; undefined if it is missing. */
  readonly pieces: readonly (Bytes | undefined)[];
}

/**
 * Fetches parts of a file on a server so that all are of one version. Every response must name the same version;
 * another one means that the file was replaced, and all parts are fetched again. A server that names no version, or
 * ignores Range, is read in one transfer from the file's start to the last wanted byte.
 */
export class RangeDownload {
  private version: string | undefined;
  private pieces: (Bytes | undefined)[];
  private changes = 0;
  private inOneTransfer = false;

  constructor(
    private readonly url: string,
    private readonly ranges: readonly ByteRange[],
    kept: VersionedPieces,
    /** Size of the file, if an earlier response stated it. */
    private readonly size: number | undefined,
    private readonly transport: Transport,
    private readonly onBytes: (loaded: number) => void = () => undefined,
  ) {
    this.version = kept.version;
    this.pieces = [...kept.pieces];
  }

  /** The pieces fetched so far, all of one version. */
  get fetched(): VersionedPieces {
    return { version: this.version, pieces: this.pieces };
  }

  /** Bytes that another attempt need not fetch. */
  readonly progress = (): number => this.pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0);

  /** Fetches the missing pieces. After a failure, another call continues with the same version. */
  readonly run = async (): Promise<readonly Bytes[]> => {
    if (this.version?.startsWith(transfer)) this.startAnew();
    for (;;) {
      const { pieces } = this;
      if (pieces.every((piece) => piece !== undefined)) return pieces;
      await this.fetchNext();
    }
  };

  private async fetchNext(): Promise<void> {
    const wanted = this.inOneTransfer ? undefined : this.nextRun();
    const { offset } = this.ranges[wanted?.[0] ?? 0];
    const last = this.ranges[wanted?.at(-1) ?? this.ranges.length - 1];
    const range = wanted && { offset, length: last.offset + last.length - offset };
    const download = await this.start(range);
    try {
      const { version, partial } = download;
      if (this.version !== undefined && version !== this.version) {
        // If the server's versions keep changing, the file is read in one transfer.
        this.inOneTransfer = version === undefined || ++this.changes > 1;
        this.startAnew();
        throw new PassingFailure(`${showUrl(this.url)} was replaced while it was read`, { delayMs: 0 });
      }
      this.requireSize(download.total);
      if (version === undefined && partial && wanted?.length !== this.ranges.length) {
        this.inOneTransfer = true;
        return;
      }
      const missing = [...this.ranges.keys()].filter((i) => version === undefined || !this.pieces[i]);
      this.version = version ?? `${transfer} ${Date.now()}-${Math.random()}`;
      await this.receive(download, wanted && partial ? wanted : missing, partial ? offset : 0);
    } finally {
      download.close();
    }
  }

  private async start(range: ByteRange | undefined): Promise<Download> {
    try {
      return await Download.start(this.url, { range }, this.transport);
    } catch (error) {
      // The range may lie beyond the end of a file that was replaced since the other pieces were fetched.
      const replaced = error instanceof WeightsError && error.code === 'WRONG_SIZE' && this.progress() > 0;
      throw replaced ? this.changed(error.message) : error;
    }
  }

  private async receive(download: Download, indices: readonly number[], start: number): Promise<void> {
    for (const i of indices) this.pieces[i] = undefined;
    const before = this.progress();
    const picker = new RangePicker(indices.map((i) => this.ranges[i]));
    let position = start;
    try {
      for await (const chunk of download.chunks()) {
        picker.add(chunk, position);
        position += chunk.length;
        this.onBytes(before + picker.loaded);
        if (picker.done) return;
      }
    } finally {
      for (const [n, piece] of picker.complete.entries()) this.pieces[indices[n]] = piece;
    }
    throw new PassingFailure(`${showUrl(this.url)} ended before its last wanted byte`, { code: 'TRUNCATED' });
  }

  /** Indices of the next missing ranges that lie one after the other, so that one request brings them. */
  private nextRun(): number[] {
    const run = [this.pieces.indexOf(undefined)];
    for (let i = run[0] + 1; i < this.ranges.length && !this.pieces[i]; i++) {
      const before = this.ranges[i - 1];
      if (before.offset + before.length !== this.ranges[i].offset) break;
      run.push(i);
    }
    return run;
  }

  private startAnew(): void {
    this.version = undefined;
    this.pieces = this.ranges.map(() => undefined);
  }

  private requireSize(total: number | undefined): void {
    if (total === undefined) return;
    const last = this.ranges[this.ranges.length - 1];
    const end = last.offset + last.length;
    if (this.size !== undefined && this.size !== total)
      throw this.changed(`It had ${this.size} bytes and has ${total}.`);
    if (total >= end) return;
    const tooShort = wrongSize(this.url, total, `at least ${end} bytes`);
    throw this.changes > 0 ? this.changed(tooShort.message) : tooShort;
  }

  private changed(how: string): WeightsError {
    const message = `${showUrl(this.url)} was replaced while it was read. ${how}`;
    return new WeightsError('FILE_CHANGED', message, { option: 'weights', value: showUrl(this.url) });
  }
}

/**
 * Prefix of the version of bytes from one transfer of a server that names none; no other response has the same version.
 */
const transfer = 'transfer';
