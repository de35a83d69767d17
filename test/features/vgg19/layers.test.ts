import { describe, expect, it } from 'vitest';
import {
  convolutionsUpTo,
  deepestLayer,
  layersUpTo,
  vgg19Convolutions,
  vgg19Layers,
} from '../../../src/features/vgg19/layers';

describe("VGG-19's layers", () => {
  it('are 16 convolutions, 16 ReLUs and 5 poolings in the order of computation', () => {
    expect(vgg19Convolutions).toHaveLength(16);
    expect(vgg19Layers).toHaveLength(37);
    expect(vgg19Layers.slice(0, 6)).toEqual(['conv1_1', 'relu1_1', 'conv1_2', 'relu1_2', 'pool1', 'conv2_1']);
    expect(vgg19Layers.at(-1)).toBe('pool5');
  });

  it('take as many channels in as the convolution before puts out', () => {
    const channels = vgg19Convolutions.map((step) => [step.channelsIn, step.channelsOut]);
    expect(channels.slice(0, 5)).toEqual([
      [3, 64],
      [64, 64],
      [64, 128],
      [128, 128],
      [128, 256],
    ]);
    for (let i = 1; i < channels.length; i++) expect(channels[i][0]).toBe(channels[i - 1][1]);
  });

  it('are cut after the last that is wanted', () => {
    expect(convolutionsUpTo('conv3_1')).toHaveLength(5);
    expect(deepestLayer(['image', 'relu2_1', 'conv1_2'])).toBe('relu2_1');
    expect(deepestLayer(['image'])).toBeUndefined();
  });

  it('name the nearest for a misspelt one', () => {
    expect(() => layersUpTo('conv2-2' as never)).toThrow("layer is 'conv2-2'; did you mean 'conv2_2'?");
  });
});
