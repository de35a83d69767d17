import { ImageError, StyleTransferError } from '../errors';
import type { LayerName } from '../features/layer-name';
import { type Padding, paddings } from '../features/padding';
import type { GramNormalization } from '../losses/gram-matrix';
import { showText, showValue } from '../options/show';
import type { Bytes } from '../storage/byte-store';
import { readSafetensors } from '../weights/safetensors';
import type { NamedTensor } from '../weights/tensor-file';
import { styleFormat } from './encode-style';
import { type StyleFile, tensorName } from './style-file';

/**
 * A style from the bytes of a file. Tensors of statistics that this version does not know are kept and not used.
 *
 * @param option name of the argument, for errors
 * @param name name of the file, for messages
 * @throws ImageError `MALFORMED_STYLE` if the bytes are no style file, or one of another version of the format
 */
export function decodeStyle(option: string, name: string, bytes: Bytes): StyleFile {
  const { tensors, metadata } = read(option, name, bytes);
  const refuse = (field: string, accepted: string) =>
    malformed(option, name, `its ${field} is ${showValue(metadata.get(field))}; accepted: ${accepted}`);
  if (metadata.get('format') !== styleFormat)
    throw refuse('format', `'${styleFormat}', as saveStyle writes it`);
  if (metadata.get('formatVersion') !== '1') throw refuse('formatVersion', "'1'");
  const network = metadata.get('network');
  if (!network) throw refuse('network', 'a name');
  const layers = json(metadata.get('layers'));
  if (!isNames(layers)) throw refuse('layers', 'a list of names');
  const hashes = metadata.has('weightsHashes') ? json(metadata.get('weightsHashes')) : undefined;
  if (hashes !== undefined && !isHashes(hashes, layers))
    throw refuse('weightsHashes', 'a SHA-256 for each of its layers');
  const normalization = normalizations.find((known) => known === metadata.get('normalization'));
  if (!normalization) throw refuse('normalization', normalizations.join(', '));
  const pooling = metadata.get('pooling');
  if (pooling !== undefined && pooling !== 'max' && pooling !== 'average')
    throw refuse('pooling', 'max, average');
  const padding = metadata.get('padding') ?? 'zero';
  if (!isPadding(padding)) throw refuse('padding', paddings.join(', '));
  const images = Number(metadata.get('images'));
  if (!isCount(images)) throw refuse('images', 'a whole number of at least 1');
  const longerSide = json(metadata.get('longerSide'));
  if (!isRange(longerSide)) throw refuse('longerSide', 'two numbers of pixels');
  for (const layer of layers) {
    const problem = problemOf(tensors.get(tensorName('gram', layer)));
    if (problem) throw malformed(option, name, `its tensor ${tensorName('gram', layer)} ${problem}`);
  }
  return {
    kind: 'style',
    name,
    formatVersion: 1,
    network,
    weights: metadata.get('weights'),
    weightsHashes: hashes,
    layers,
    normalization,
    pooling,
    padding,
    images,
    longerSide,
    tensors,
  };
}

const normalizations: readonly GramNormalization[] = ['elements', 'positions', 'none'];

function read(option: string, name: string, bytes: Bytes): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes, showText(name));
  } catch (cause) {
    if (!(cause instanceof StyleTransferError)) throw cause;
    const { message } = cause;
    throw new ImageError('MALFORMED_STYLE', message, { option, accepted: 'a style file', cause });
  }
}

function malformed(option: string, name: string, what: string): ImageError {
  const message = `${showText(name)} is not a usable style file: ${what}.`;
  return new ImageError('MALFORMED_STYLE', message, { option, value: name, accepted: 'a style file' });
}

/** What is wrong with a Gram matrix, for the message; undefined if nothing is. */
function problemOf(tensor: NamedTensor | undefined): string | undefined {
  if (tensor === undefined) return 'is missing';
  const { shape, values } = tensor;
  if (shape.length !== 2 || shape[0] !== shape[1] || shape[0] === 0)
    return `has the shape [${shape}]; accepted: [channels, channels]`;
  return values.every(Number.isFinite) ? undefined : 'holds a number that is not finite';
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

const isPadding = (value: string): value is Padding => (paddings as readonly string[]).includes(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

const isNames = (value: unknown): value is readonly LayerName[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  new Set(value).size === value.length &&
  value.every((name) => typeof name === 'string' && name !== '');

const isRange = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(isCount) && value[0] <= value[1];

function isHashes(
  value: unknown,
  layers: readonly LayerName[],
): value is Readonly<Partial<Record<LayerName, string>>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    layers.every(
      (layer) =>
        Object.hasOwn(value, layer) && /^[0-9a-f]{64}$/.test((value as Record<string, string>)[layer]),
    )
  );
}
