import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { FeatureExtractor } from '../../src/features/extractor';
import { convolutionsUpTo, type Vgg19Layer } from '../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { directoryWeights } from '../../src/node/directory-weights';
import { shared } from './shared';

/** VGG-19 with the real weights of the shared folder, by tfjs operations or by our own kernels. */
export async function realVgg19(
  lastLayer: Vgg19Layer = 'conv3_1',
  folder: 'vgg19' | 'vgg19-uint8' = 'vgg19',
  engine: 'tfjs' | 'wasm' = 'tfjs',
): Promise<FeatureExtractor> {
  const source = directoryWeights(shared(folder));
  const weights = await source.read(convolutionsUpTo(lastLayer));
  const { name: weightsName, convention } = source;
  const network = loadedVgg19(weights, { lastLayer, convention, weightsName });
  return engine === 'wasm' ? createWasmExtractor(network) : createTfjsExtractor(network);
}
