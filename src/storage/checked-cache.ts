import { showText } from '../options/show';
import type { WeightCache } from './byte-cache';
import type { Bytes } from './byte-store';
import type { WeightsWarning } from './progress';
import { sha256 } from './sha256';

/** Known properties of a file before it is fetched. */
export interface Pin {
  readonly sha256?: string | undefined;
  readonly size?: number | undefined;
}

/** A file or a part of one in a {@link CheckedCache}. */
export interface CheckedFile {
  readonly bytes: Bytes;
  /** The version that it was written with, if there was one. */
  readonly version?: string | undefined;
}

/**
 * A {@link WeightCache} whose every read is checked by SHA-256: the pinned one, or else that of the bytes that were
 * written, kept beside them with the version of their file. Damaged bytes are removed and count as absent. A cache that
 * fails is a warning, not an error.
 */
export class CheckedCache {
  constructor(
    private readonly cache: WeightCache | undefined,
    private readonly warn: (warning: WeightsWarning) => void = () => undefined,
  ) {}

  async read(key: string, pin: Pin = {}): Promise<CheckedFile | undefined> {
    const found = await this.trying('CACHE_READ_FAILED', async (cache) => {
      const bytes = await cache.read(key);
      if (!bytes || pin.sha256) return { bytes, expected: pin.sha256 };
      const [expected, version] = new TextDecoder().decode(await cache.read(digestKey(key))).split('\n');
      return { bytes, expected, version };
    });
    if (!found?.bytes) return undefined;
    const { bytes, expected, version } = found;
    const size = pin.size ?? bytes.length;
    if (bytes.length === size && expected === (await sha256(bytes))) return { bytes, version };
    const message = `${key} in ${this.name} is damaged and will be fetched again.`;
    this.warn({ code: 'CACHE_CORRUPT', message });
    await this.delete(key);
    return undefined;
  }

  /** Stores verified bytes: they have the pinned hash, or arrived in one transfer of one version of their file. */
  async write(key: string, { bytes, version }: CheckedFile, pin: Pin = {}): Promise<void> {
    await this.trying('CACHE_WRITE_FAILED', async (cache) => {
      // The hash is written first: a reader that finds bytes without a hash takes them for damaged.
      const digest = [await sha256(bytes), version].filter((part) => part !== undefined).join('\n');
      if (!pin.sha256) await cache.write(digestKey(key), new TextEncoder().encode(digest));
      await cache.write(key, bytes);
    });
  }

  async delete(key: string): Promise<void> {
    await this.trying('CACHE_WRITE_FAILED', async (cache) => {
      await cache.delete(key);
      await cache.delete(digestKey(key));
    });
  }

  private get name(): string {
    return showText(this.cache?.name ?? 'no cache', 200);
  }

  private async trying<T>(code: string, work: (cache: WeightCache) => Promise<T>): Promise<T | undefined> {
    if (!this.cache) return undefined;
    try {
      return await work(this.cache);
    } catch (cause) {
      const reason = showText(cause instanceof Error ? cause.message : String(cause), 200);
      this.warn({ code, message: `${this.name} does not work as a weight cache: ${reason}` });
      return undefined;
    }
  }
}

/** Whether a key is that of a file, not of the hash beside it. */
export const isFileKey = (key: string): boolean => !key.endsWith('.sha256');

const digestKey = (key: string): string => `${key}.sha256`;
