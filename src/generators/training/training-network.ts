import type { EngineExtractor } from '../../engines/engine';
import { loadVgg19On } from '../../engines/load-vgg19';
import { WeightsError } from '../../errors';
import { requireLayers } from '../../features/require-layers';
import { deepestLayer, type Vgg19Layer } from '../../features/vgg19/layers';
import type { Owner } from '../../owning';
import type { Platform } from '../../platform';
import { type Preset, presetLayers } from '../../transfer/presets';
import type { ProgressChannel } from '../../transfer/progress-channel';
import type { TrainingSettings } from './options';
import type { TrainingProgress } from './progress';

/** The network whose features are compared, and the preset as far as the network has its layers. */
export interface TrainingNetwork {
  readonly extractor: EngineExtractor;
  readonly preset: Preset;
}

/** The last layer of the network that comes with the package. */
const embeddedLast: Vgg19Layer = 'relu3_1';

/**
 * VGG-19 to the depth that the loss needs: the caller's, or one that is loaded and freed. Where there is only the
 * network of this package and no preset was chosen, the loss goes without its deeper layers, and a warning says so.
 *
 * @throws InvalidArgumentError or WeightsError `MISSING_LAYER`
 */
export async function networkOf<Input>(
  platform: Platform<Input>,
  settings: TrainingSettings<Input>,
  progress: ProgressChannel<TrainingProgress>,
  { temporary }: Owner,
): Promise<TrainingNetwork> {
  const { preset, presetGiven, extractor, loss } = settings;
  const layers = presetLayers(preset);
  if (extractor) {
    if (!loss) requireLayers('preset', `The preset '${preset.name}'`, layers, extractor);
    return { extractor, preset };
  }
  try {
    const last = deepestLayer(layers) as Vgg19Layer;
    return { extractor: temporary(await load(platform, settings, progress, last)), preset };
  } catch (error) {
    const shallow = error instanceof WeightsError && error.code === 'MISSING_LAYER';
    if (!shallow || presetGiven || loss) throw error;
    const small = temporary(await load(platform, settings, progress, embeddedLast));
    if (!small.embedded) throw error;
    const has = (layer: Vgg19Layer) => small.layers.includes(layer);
    const { layers: all } = preset.style;
    const message =
      `The loss goes without ${all.filter((layer) => !has(layer)).join(', ')}: VGG-19 is not there, and the small ` +
      "network of this package ends before. Strokes are simpler. weights: 'vgg19' fetches VGG-19 and keeps it.";
    progress.post({ type: 'warning', code: 'LAYERS_LEFT_OUT', message });
    return { extractor: small, preset: { ...preset, style: { ...preset.style, layers: all.filter(has) } } };
  }
}

const load = <Input>(
  platform: Platform<Input>,
  { preset, weights, engine, threads, relaxedSimd }: TrainingSettings<Input>,
  progress: ProgressChannel<TrainingProgress>,
  lastLayer: Vgg19Layer,
): Promise<EngineExtractor> =>
  loadVgg19On(platform, {
    weights,
    lastLayer,
    pooling: preset.pooling,
    padding: preset.padding,
    engine,
    threads,
    relaxedSimd,
    signal: progress.signal,
    onProgress: (event) => progress.post(event),
    onWarning: (warning) => progress.post({ type: 'warning', ...warning }),
  });
