import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256, sha256InScript } from '../../src/storage/sha256';

describe('SHA-256', () => {
  it("is that of FIPS 180-4's examples, with and without WebCrypto", async () => {
    const abc = new TextEncoder().encode('abc');
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await sha256(abc)).toBe(expected);
    expect(sha256InScript(abc)).toBe(expected);
  });

  it("without WebCrypto is Node's, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const copy = new Uint8Array(bytes);
        expect(sha256InScript(copy)).toBe(createHash('sha256').update(copy).digest('hex'));
      }),
    );
  });
});
