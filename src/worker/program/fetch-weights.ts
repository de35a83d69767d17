import { loadVgg19Options } from '../../engines/load-vgg19';
import { readLayers } from '../../features/vgg19/check-layers';
import { convolutionsUpTo, deepestLayer } from '../../features/vgg19/layers';
import { resolveWeights, type Weights } from '../../features/vgg19/resolve-weights';
import { requireName } from '../../options/validate';
import { defaultPreset, getPreset, presetLayers, presetNames } from '../../transfer/presets';
import type { TaskControl } from './task-control';

/** Reads the weights that a preset needs, which puts them into the page's cache. */
export async function fetchWeights(
  options: { readonly preset?: unknown; readonly weights?: unknown },
  control: TaskControl,
): Promise<void> {
  const { preset = defaultPreset, weights = 'vgg19' } = options;
  requireName('preset', preset, presetNames);
  const { signal } = control;
  const layers = convolutionsUpTo(
    deepestLayer(presetLayers(getPreset(preset))) ?? loadVgg19Options.options.lastLayer.default,
  );
  const onWarning = (warning: { readonly code: string; readonly message: string }) =>
    void control.send({ type: 'warning', ...warning });
  const { source } = await resolveWeights(weights as Weights, layers, { signal, onWarning });
  await readLayers(source, layers, { signal, onWarning, onProgress: (event) => void control.send(event) });
}
