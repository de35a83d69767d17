import type { Bytes } from '../storage/byte-store';
import { sha256, sha256OfText } from '../storage/sha256';
import type { Generator } from './generator';

/**
 * SHA-256 of all that a generator computes with, in hexadecimal: its steps and its tensors, whatever file or format
 * they came from. Name, training and licence do not count.
 */
export async function generatorHash({
  network,
  predictor,
  weights,
}: Pick<Generator, 'network' | 'predictor' | 'weights'>): Promise<string> {
  const lines = [...weights].map(async ([name, { shape, values }]) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const hash = await sha256(bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice());
    return `${name} [${shape}] ${hash}`;
  });
  const tensors = (await Promise.all(lines)).sort();
  return sha256OfText([JSON.stringify([network, predictor]), ...tensors].join('\n'));
}
