import type { WeightsWarning } from '../features/vgg19/source';
import type { WeightCache } from './byte-cache';
import type { Bytes } from './byte-store';
import { sha256 } from './sha256';

/** What is known of a file before it is fetched. */
export interface Pin {
  readonly sha256?: string | undefined;
  readonly size?: number | undefined;
}

/** The part of a download that was there when it was interrupted. */
export interface PartialDownload {
  readonly bytes: Bytes;
  /** What the server called the version of the file that the bytes are of (its ETag). */
  readonly version: string | undefined;
}

/**
 * A {@link WeightCache} whose every read is checked by SHA-256, the one that is known of the file or else the one of the bytes
 * that were written, kept beside them. What does not pass is removed and is as if never there. A cache that fails is a warning.
 */
export class CheckedCache {
  constructor(
    private readonly cache: WeightCache | undefined,
    private readonly warn: (warning: WeightsWarning) => void = () => undefined,
  ) {}

  async read(key: string, pin: Pin = {}): Promise<Bytes | undefined> {
    const bytes = await this.trying('CACHE_READ_FAILED', (cache) => cache.read(key));
    if (!bytes) return undefined;
    const expected =
      pin.sha256 ?? (await this.trying('CACHE_READ_FAILED', (cache) => cache.read(digestKey(key))));
    const known = typeof expected === 'string' || expected === undefined ? expected : decodeText(expected);
    if (known === (await sha256(bytes)) && (pin.size ?? bytes.length) === bytes.length) return bytes;
    this.warn({
      code: 'CACHE_CORRUPT',
      message: `${key} in ${this.cache?.name} is damaged and will be fetched again.`,
    });
    await this.delete(key);
    return undefined;
  }

  async write(key: string, bytes: Bytes, pin: Pin = {}): Promise<void> {
    await this.trying('CACHE_WRITE_FAILED', async (cache) => {
      // First, so that who reads at the same time does not find bytes without it, which would be as if damaged.
      if (!pin.sha256) await cache.write(digestKey(key), encodeText(await sha256(bytes)));
      await cache.write(key, bytes);
    });
  }

  async delete(key: string): Promise<void> {
    await this.trying('CACHE_WRITE_FAILED', async (cache) => {
      await cache.delete(key);
      await cache.delete(digestKey(key));
    });
  }

  async readPartial(key: string): Promise<PartialDownload | undefined> {
    const stored = await this.trying('CACHE_READ_FAILED', (cache) => cache.read(partialKey(key)));
    const end = stored?.indexOf(newline) ?? -1;
    if (!stored || end < 0) return undefined;
    const version = decodeText(stored.subarray(0, end));
    return { bytes: stored.slice(end + 1), version: version === '' ? undefined : version };
  }

  async writePartial(key: string, { bytes, version = '' }: PartialDownload): Promise<void> {
    const head = encodeText(`${version.replaceAll('\n', ' ')}\n`);
    const stored = new Uint8Array(head.length + bytes.length);
    stored.set(head);
    stored.set(bytes, head.length);
    await this.trying('CACHE_WRITE_FAILED', (cache) => cache.write(partialKey(key), stored));
  }

  async deletePartial(key: string): Promise<void> {
    await this.trying('CACHE_WRITE_FAILED', (cache) => cache.delete(partialKey(key)));
  }

  private async trying<T>(code: string, work: (cache: WeightCache) => Promise<T>): Promise<T | undefined> {
    if (!this.cache) return undefined;
    try {
      return await work(this.cache);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      this.warn({ code, message: `${this.cache.name} does not work as a cache of weights: ${message}` });
      return undefined;
    }
  }
}

/** Whether a key is of a file, not of what is kept beside it. */
export const isFileKey = (key: string): boolean => !/\.(sha256|partial)$/.test(key);

const digestKey = (key: string): string => `${key}.sha256`;
const partialKey = (key: string): string => `${key}.partial`;
const newline = 10;
const encodeText = (text: string): Bytes => new TextEncoder().encode(text);
const decodeText = (bytes: Bytes): string => new TextDecoder().decode(bytes);
