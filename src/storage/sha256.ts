import type { Bytes } from './byte-store';

/**
 * SHA-256 in lower-case hexadecimal. Pages over plain http have no WebCrypto; for them an implementation in JavaScript
 * is loaded.
 */
export async function sha256(bytes: Bytes): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  const digest = subtle
    ? new Uint8Array(await subtle.digest('SHA-256', bytes))
    : (await import('@noble/hashes/sha2')).sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** SHA-256 of a text's UTF-8. */
export const sha256OfText = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));
