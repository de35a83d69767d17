import type { EngineExtractor } from '../../engines/engine';
import { weightsHash } from '../../features/network-identity';
import { deepestLayer } from '../../features/vgg19/layers';
import { sha256, sha256OfText } from '../../storage/sha256';
import { type Preset, presetLayers } from '../../transfer/presets';
import type { TrainingIdentity } from './checkpoint';
import type { TrainingSettings } from './options';
import type { Pictures } from './pictures';
import type { StylePicture } from './style-pictures';
import type { TrainingStart } from './training-start';

/** What was found out about a training before its first step. */
export interface TrainingFacts {
  readonly styles: readonly StylePicture[];
  /** As far as the network has its layers. */
  readonly preset: Preset;
  readonly start: TrainingStart;
  readonly steps: number;
  readonly finalSteps: number;
  readonly learningRate: number;
  readonly pictures: Pictures;
  readonly extractor: EngineExtractor;
}

/**
 * What the generator depends on, for checkpoints. Of a custom loss nothing is known, and of given pictures their number
 * and their names.
 */
export async function identityOf(
  { images, alpha, beta, loss, size, styleSize, seed, diversity }: TrainingSettings,
  { styles, preset, start, steps, finalSteps, learningRate, pictures, extractor }: TrainingFacts,
): Promise<TrainingIdentity> {
  const { parameters, network, styles: names, added } = start;
  const hashes: string[] = [];
  for (const { opened } of styles) hashes.push(await sha256(copyOf((await opened.bytes()).bytes)));
  const losses: TrainingIdentity = loss
    ? { loss: 'custom' }
    : { preset: preset.name, alpha: alpha ?? preset.alpha, beta: beta ?? preset.beta };
  return {
    style: names ? await sha256OfText(hashes.join('\n')) : hashes[0],
    ...(names ? { styles: names.join(', ') } : {}),
    architecture: await sha256OfText(JSON.stringify(network)),
    base: await sha256(copyOf(added ? parameters.ofNetwork(parameters.initial, 0) : parameters.initial)),
    ...(added ? { trained: 'scales and shifts' } : {}),
    images: pictures.identity,
    weights: (await weightsHash(extractor, deepestLayer(presetLayers(preset)))) ?? extractor.name,
    ...losses,
    steps,
    finalSteps,
    ...(images ? {} : { drawn: pictures.count }),
    size,
    styleSize,
    learningRate,
    seed,
    ...(diversity > 0 ? { diversity } : {}),
  };
}

/** The bytes of an array in memory of their own. */
const copyOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength).slice() as Uint8Array<ArrayBuffer>;
