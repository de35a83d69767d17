import type { ConvLayer, Vgg19Layer } from '../../src/features/layers';
import { stepsUpTo } from '../../src/features/layers';
import { createTfjsExtractor, type TfjsExtractorOptions } from '../../src/features/tfjs-extractor';
import { directoryWeights } from '../../src/node/directory-weights';
import { shared } from './shared';

/** VGG-19 by tfjs operations with the real weights of the shared folder. */
export async function realVgg19(
  lastLayer: Vgg19Layer = 'conv3_1',
  folder: 'vgg19' | 'vgg19-uint8' = 'vgg19',
  options: Partial<TfjsExtractorOptions> = {},
) {
  const source = directoryWeights(shared(folder));
  const steps = stepsUpTo(lastLayer);
  const convolutions = steps.filter((step) => step.kind === 'conv').map((step): ConvLayer => step.name);
  return createTfjsExtractor({
    name: 'vgg19',
    weightsName: source.name,
    steps,
    weights: await source.read(convolutions),
    convention: source.convention,
    ...options,
  });
}
