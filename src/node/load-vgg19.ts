import { defaultLastLayer, type LoadVgg19Options, loadVgg19 as loadAnywhere } from '../engines/load-vgg19';
import type { FeatureExtractor } from '../features/extractor';
import { convolutionsUpTo } from '../features/vgg19/layers';
import { nodeWeights } from './node-weights';

/**
 * `loadVgg19` that also takes for `weights` the path of a folder or file on disk.
 *
 * @returns an extractor on the active tfjs backend; it belongs to the caller
 * @throws WeightsError if the files are missing or not VGG-19's; otherwise as `loadVgg19`
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: './vgg19' });
 * ```
 */
export async function loadVgg19(options: LoadVgg19Options = {}): Promise<FeatureExtractor> {
  const { weights, lastLayer = defaultLastLayer, signal, onWarning } = options;
  const layers = convolutionsUpTo(lastLayer);
  return loadAnywhere({ ...options, weights: await nodeWeights(weights, { layers, signal, onWarning }) });
}
