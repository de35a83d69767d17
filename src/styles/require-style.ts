import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { weightsHash } from '../features/network-identity';
import type { GramNormalization } from '../losses/gram-matrix';
import { showText, showValue } from '../options/show';
import { isStyleFile, type StyleFacts, type StyleFile } from './style-file';

/** Throws unless a value is a style. @param option name of the argument, for the error */
export function requireStyleFile(option: string, value: unknown): asserts value is StyleFile {
  if (isStyleFile(value)) return;
  const accepted = 'what loadStyle() or makeStyle() gives';
  throw new InvalidArgumentError('WRONG_TYPE', `${option} is ${showValue(value)}; accepted: ${accepted}.`, {
    option,
    value,
    accepted,
  });
}

/** The statistics that a style loss compares. */
export type StyleStatistics = Pick<StyleFacts, 'layers' | 'normalization'>;

/** A network with the statistics of its features: what styles must have in common. */
export type StyleNetwork = Omit<StyleFacts, 'formatVersion' | 'images' | 'longerSide'>;

/** The part of {@link StyleNetwork} that an extractor determines. */
export async function styleNetworkOf(
  extractor: FeatureExtractor,
  layers: readonly LayerName[],
  normalization: GramNormalization,
): Promise<StyleNetwork> {
  const { name, identity, weights } = extractor;
  const ordered = extractor.layers.filter((layer) => layers.includes(layer));
  const hashes: Partial<Record<LayerName, string>> = {};
  for (const layer of ordered) hashes[layer] = await weightsHash(extractor, layer);
  return {
    network: identity?.network ?? name,
    // 'VGG-19 from /home/me/vgg19' without the place, which is nobody's business.
    weights: weights?.replace(/ from .*/s, ''),
    weightsHashes: identity && hashes,
    pooling: identity?.pooling,
    padding: identity?.padding ?? 'zero',
    layers: ordered,
    normalization,
  };
}

/**
 * Throws unless a style file has the statistics that a loss compares; needs no network.
 *
 * @param option name of the argument, for the error
 * @param by who needs them, for the message: `"the preset 'li2021'"`
 * @throws InvalidArgumentError `WRONG_STYLE`, which names what the file has and what is needed
 */
export function requireStatistics(
  option: string,
  file: StyleFile,
  { layers, normalization }: StyleStatistics,
  by: string,
): void {
  const isMissing = (layer: LayerName) => !file.layers.includes(layer);
  if (layers.some(isMissing))
    throw wrongStyle(option, file, 'layers', file.layers.join(', '), layers.join(', '), by);
  if (file.normalization !== normalization)
    throw wrongStyle(option, file, 'normalization', file.normalization, normalization, by);
}

/**
 * Throws unless a style file has the statistics of a network's features, of the same network with the same weights.
 *
 * @param by what has this network, for the message
 * @throws InvalidArgumentError `WRONG_STYLE`, which names what the file has and what is needed
 */
export function requireNetwork(option: string, file: StyleFile, needed: StyleNetwork, by: string): void {
  if (file.network !== needed.network)
    throw wrongStyle(option, file, 'network', file.network, needed.network, by);
  if (file.pooling !== needed.pooling && file.pooling !== undefined && needed.pooling !== undefined)
    throw wrongStyle(option, file, 'pooling', file.pooling, needed.pooling, by);
  // Files without it are of networks before padding was an option.
  const { padding = 'zero' } = needed;
  if ((file.padding ?? 'zero') !== padding)
    throw wrongStyle(option, file, 'padding', file.padding ?? 'zero', padding, by);
  requireStatistics(option, file, needed, by);
  // A hash covers all layers before its own.
  const deepest = needed.layers.at(-1) as LayerName;
  const [found, wanted] = [file, needed].map((one) => one.weightsHashes?.[deepest]);
  if (found !== wanted)
    throw wrongStyle(option, file, 'weights', named(file.weights, found), named(needed.weights, wanted), by);
}

/** Weights for messages: their name and the first digits of their hash. */
function named(weights: string | undefined, hash: string | undefined): string {
  return `${weights ?? 'unknown'}, SHA-256 ${hash?.slice(0, 12) ?? 'unknown'}`;
}

function wrongStyle(
  option: string,
  { name }: StyleFile,
  what: string,
  found: string,
  needed: string,
  by: string,
): InvalidArgumentError {
  const [has, needs] = [showText(found, 300), showText(needed, 300)];
  return new InvalidArgumentError(
    'WRONG_STYLE',
    `${option} ${showValue(name)} is of ${what} ${has}; accepted: ${what} ${needs}, of ${by}.`,
    { option, value: found, accepted: needed },
  );
}
