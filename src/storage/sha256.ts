import { sha256 as sha256InScript } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';
import type { Bytes } from './byte-store';

/** SHA-256 in lower-case hexadecimal. Pages that came over plain http have no WebCrypto; there it is computed in JavaScript. */
export async function sha256(bytes: Bytes): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  return bytesToHex(subtle ? new Uint8Array(await subtle.digest('SHA-256', bytes)) : sha256InScript(bytes));
}

/** SHA-256 of a text's UTF-8. */
export const sha256OfText = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));
