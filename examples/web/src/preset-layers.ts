import { type ConvLayer, getPreset, type PresetName, vgg19Layers } from 'tfjs-style-transfer';

/** The last convolution of the embedded network. */
const lastEmbedded: ConvLayer = 'conv3_1';

/** The convolutions of VGG-19 whose weights a preset needs. */
export function convolutionsOf(name: PresetName): readonly ConvLayer[] {
  const { content, style, perceptual } = getPreset(name);
  const used = [...content.layers, ...style.layers, ...(perceptual?.layers ?? [])];
  const last = Math.max(...used.map((layer) => vgg19Layers.indexOf(layer)));
  return vgg19Layers.slice(0, last + 1).filter((layer): layer is ConvLayer => layer.startsWith('conv'));
}

/** Whether the embedded network is deep enough for a preset. */
export function worksEmbedded(name: PresetName): boolean {
  return convolutionsOf(name).at(-1) === lastEmbedded || !convolutionsOf(name).includes('conv3_2');
}

/** Bytes of the weights that a preset needs: kernels 3 x 3 and biases, float32. */
export function weightBytes(name: PresetName): number {
  const channels = [64, 128, 256, 512, 512];
  let before = 3;
  return convolutionsOf(name).reduce((sum, layer) => {
    const now = channels[Number(layer[4]) - 1];
    const bytes = 4 * now * (9 * before + 1);
    before = now;
    return sum + bytes;
  }, 0);
}
