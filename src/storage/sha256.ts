import type { Bytes } from './byte-store';

/** SHA-256 in lower-case hexadecimal. */
export async function sha256(bytes: Bytes): Promise<string> {
  // Pages that came over plain http have no WebCrypto; weights are checked there too.
  const subtle = globalThis.crypto?.subtle;
  return subtle ? hex(new Uint8Array(await subtle.digest('SHA-256', bytes))) : sha256InScript(bytes);
}

/** SHA-256 of a text's UTF-8. */
export const sha256OfText = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));

/** SHA-256 without WebCrypto (FIPS 180-4, section 6.2). */
export function sha256InScript(bytes: Bytes): string {
  const state = Uint32Array.from(initialState);
  const schedule = new Uint32Array(64);
  const tail = new Uint8Array(64 * Math.ceil(((bytes.length % 64) + 9) / 64));
  const whole = bytes.length - (bytes.length % 64);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < whole; at += 64) compress(state, schedule, bytes, at);
  for (let at = 0; at < tail.length; at += 64) compress(state, schedule, tail, at);
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  for (const [i, word] of state.entries()) view.setUint32(4 * i, word);
  return hex(digest);
}

function compress(state: Uint32Array, w: Uint32Array, bytes: Uint8Array, at: number): void {
  for (let t = 0; t < 16; t++) {
    const i = at + 4 * t;
    w[t] = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3];
  }
  for (let t = 16; t < 64; t++) {
    const s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >>> 3);
    const s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >>> 10);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + roundConstants[t] + w[t]) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] += word;
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The first 32 bits of the fractional part of a positive number. */
const fractionBits = (value: number): number => Math.floor((value - Math.floor(value)) * 2 ** 32);

const primes = Array.from({ length: 310 }, (_, i) => i + 2).filter((n) => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
});
/** Square roots of the first 8 primes, cube roots of the first 64: 52 bits are enough for 32 of the fraction. */
const initialState = primes.slice(0, 8).map((prime) => fractionBits(Math.sqrt(prime)));
const roundConstants = Uint32Array.from(primes.slice(0, 64), (prime) => fractionBits(Math.cbrt(prime)));
