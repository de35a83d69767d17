import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../src/storage/sha256';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('SHA-256', () => {
  it("is that of FIPS 180-4's example, with and without WebCrypto", async () => {
    const abc = new TextEncoder().encode('abc');
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await sha256(abc)).toBe(expected);
    vi.stubGlobal('crypto', undefined);
    expect(await sha256(abc)).toBe(expected);
  });

  it("without WebCrypto is Node's, for any bytes", async () => {
    vi.stubGlobal('crypto', undefined);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const copy = new Uint8Array(bytes);
        expect(await sha256(copy)).toBe(createHash('sha256').update(copy).digest('hex'));
      }),
    );
  });
});
