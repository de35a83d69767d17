import { type LoadedExtractor, type LoadVgg19Options, loadVgg19On } from '../engines/load-vgg19';
import { platform } from './platform';

/**
 * `loadVgg19` whose option `weights` also accepts the path of a folder or file. If the program has not set up a tfjs
 * backend, it starts wasm.
 *
 * @returns an extractor on the active tfjs backend; it belongs to the caller
 * @throws WeightsError if files are missing or do not hold VGG-19; otherwise as `loadVgg19`
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: './vgg19' });
 * ```
 */
export const loadVgg19 = (options: LoadVgg19Options = {}): Promise<LoadedExtractor> =>
  loadVgg19On(platform, options);
