import type { Bytes } from '../storage/byte-store';
import { sha256, sha256OfText } from '../storage/sha256';
import type { FeatureExtractor, NetworkIdentity } from './extractor';
import type { LayerName } from './layer-name';
import type { LoadedNetwork } from './network';

/**
 * SHA-256 of an extractor's weights, in hexadecimal: equal for two extractors exactly if their layers up to `lastLayer`
 * are computed with the same numbers. It does not depend on the file or the format that the weights came from.
 *
 * @param lastLayer layers after it do not count @default the extractor's last layer
 * @returns undefined if the extractor does not know its weights, as a custom one need not
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: 'embedded' });
 * console.log(await weightsHash(extractor));
 * ```
 */
export async function weightsHash(
  extractor: FeatureExtractor,
  lastLayer?: LayerName,
): Promise<string | undefined> {
  return extractor.identity?.weightsHash(lastLayer);
}

/**
 * The identity of a loaded network. Tensors are hashed when a hash is first asked for, each once, and are held until
 * then.
 */
export function networkIdentity({ network, weights }: LoadedNetwork): NetworkIdentity {
  const { name, input, steps } = network;
  const tensors = new Map<string, { line?: Promise<string>; values?: Float32Array; shape: string }>();
  for (const step of steps)
    for (const tensor of step.op === 'conv' ? [step.kernel, step.bias] : []) {
      const found = weights.get(tensor);
      if (found) tensors.set(tensor, { values: found.values, shape: `[${found.shape}]` });
    }
  const lineOf = (tensor: string): Promise<string> => {
    const entry = tensors.get(tensor);
    if (!entry) return Promise.resolve(`${tensor} missing`);
    const { values, shape } = entry;
    if (values) {
      entry.line = sha256(bytesOf(values)).then((hash) => `${tensor} ${shape} ${hash}`);
      entry.values = undefined;
    }
    return entry.line as Promise<string>;
  };
  const average = steps.some(({ op }) => op === 'averagePool');
  const first = steps.find((step) => step.op === 'conv');
  return {
    network: name,
    padding: first?.padding ?? 'zero',
    pooling: average ? 'average' : steps.some(({ op }) => op === 'maxPool') ? 'max' : undefined,
    async weightsHash(lastLayer = steps.at(-1)?.name ?? 'image') {
      const end = steps.findIndex((step) => step.name === lastLayer) + 1;
      const used = steps
        .slice(0, end)
        .flatMap((step) => (step.op === 'conv' ? [step.kernel, step.bias] : []));
      const lines = await Promise.all(used.map(lineOf));
      return sha256OfText([`input ${JSON.stringify([input.scale, input.offset])}`, ...lines].join('\n'));
    },
  };
}

/** Numbers as bytes in unshared memory, little-endian as on every platform that runs this library. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Bytes {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice();
}

/**
 * Gives an extractor the identity of the network that it computes, unless its engine states one.
 *
 * @returns the same extractor
 */
export function identified<Extractor extends FeatureExtractor>(
  extractor: Extractor,
  loaded: LoadedNetwork,
): Extractor {
  if (extractor.identity === undefined)
    Object.defineProperty(extractor, 'identity', { value: networkIdentity(loaded), enumerable: true });
  return extractor;
}
