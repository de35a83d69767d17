import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { LayerName } from '../../src/features/layer-name';
import shallow from '../reference/features.json' with { type: 'json' };
import deep from '../reference/features-deep.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import { referenceTensor } from '../support/reference-image';
import { hasShared } from '../support/shared';
import { realVgg19 } from '../support/vgg19';

interface ReferenceLayer {
  readonly shapeNHWC: number[];
  readonly mean: number;
  readonly std: number;
  readonly samples: { readonly index: number[]; readonly value: number[] };
}

/**
 * Pre-ReLU convolution outputs that PyTorch computed in double precision; errors relative to the layer's standard
 * deviation.
 */
describe('features agree with PyTorch in float64', () => {
  onEachBackend((backend) => {
    // Our own kernels do not depend on the backend.
    const engines = backend === 'wasm' ? (['tfjs', 'wasm'] as const) : (['tfjs'] as const);

    it.skipIf(!hasShared('vgg19')).each(engines)(
      'with float32 weights, conv1_1 to conv3_4, engine %s',
      async (engine) => {
        await expectFeatures(await realVgg19('conv3_4', 'vgg19', engine), shallow.layers);
      },
    );

    // The cpu backend's loops take minutes for all sixteen.
    it.skipIf(!hasShared('vgg19-uint8') || backend === 'cpu').each(engines)(
      'with quantised weights, conv1_1 to conv5_4, engine %s',
      async (engine) => {
        await expectFeatures(await realVgg19('conv5_4', 'vgg19-uint8', engine), deep.layers);
      },
    );
  });
});

async function expectFeatures(
  extractor: Awaited<ReturnType<typeof realVgg19>>,
  reference: Record<string, ReferenceLayer>,
): Promise<void> {
  const image = await referenceTensor('image-96x64.png');
  const features = extractor.extract(image, Object.keys(reference) as LayerName[]);
  for (const [layer, { shapeNHWC, mean, std, samples }] of Object.entries(reference)) {
    const feature = features[layer as LayerName] as tf.Tensor4D;
    expect(feature.shape, layer).toEqual(shapeNHWC);
    const values = feature.dataSync<'float32'>();
    const worst = Math.max(...samples.index.map((at, i) => Math.abs(values[at] - samples.value[i])));
    expect(worst / std, layer).toBeLessThan(1e-4);
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - mean) / std, layer).toBeLessThan(
      1e-4,
    );
  }
  tf.dispose([image, features as tf.TensorContainer]);
  extractor.dispose();
}
