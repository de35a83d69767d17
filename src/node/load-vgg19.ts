import type { EngineExtractor } from '../engines/engine';
import { type LoadVgg19Options, loadVgg19On } from '../engines/load-vgg19';
import { platform } from './platform';

/**
 * `loadVgg19` that also takes for `weights` the path of a folder or file on disk. Where the program has set up no tfjs
 * backend, it starts wasm.
 *
 * @returns an extractor on the active tfjs backend; it belongs to the caller
 * @throws WeightsError if the files are missing or not VGG-19's; otherwise as `loadVgg19`
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: './vgg19' });
 * ```
 */
export const loadVgg19 = (
  options: LoadVgg19Options = {},
): Promise<EngineExtractor & { [Symbol.dispose](): void }> => loadVgg19On(platform, options);
