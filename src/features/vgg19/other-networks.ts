import { WeightsError } from '../../errors';
import type { StoredTensor, TensorFile } from '../../weights/tensor-file';

/** Convolutions in each block of VGG-19's relatives; Simonyan & Zisserman 2015, table 1. */
const relatives = { 'VGG-11': [1, 1, 2, 2, 2], 'VGG-13': [2, 2, 2, 2, 2], 'VGG-16': [2, 2, 3, 3, 3] };
const vgg19Blocks = [2, 2, 4, 4, 4];

/**
 * Throws unless a file's tensors may be VGG-19's. Shallow layers of VGG-16 have VGG-19's names and shapes, so all names
 * are checked, not only those of the requested layers.
 * @throws WeightsError `WRONG_NETWORK`
 */
export function requireVgg19(file: TensorFile, source: string): void {
  const found = networkOf(file);
  if (found === undefined) return;
  const accepted = 'weights of VGG-19 (16 convolutions, without batch normalisation)';
  throw new WeightsError('WRONG_NETWORK', `${source}: these are ${found}'s weights; accepted: ${accepted}.`, {
    option: 'weights',
    value: found,
    accepted,
  });
}

/** The name of the network that a file belongs to, if its tensors show that it is not VGG-19; else undefined. */
function networkOf({ tensors, network }: TensorFile): string | undefined {
  const named = network?.match(/^vgg-?_?(\d\d)/i)?.[1];
  if (named && named !== '19') return `VGG-${named}`;
  return kerasNetwork([...tensors.keys()]) ?? torchNetwork([...tensors.values()]);
}

/** Keras' VGG-16 has a fourth block but no `block3_conv4`. */
function kerasNetwork(names: readonly string[]): string | undefined {
  const has = (layer: string) => names.some((name) => new RegExp(`(^|/)${layer}/kernel(:0)?$`).test(name));
  const shallow = has('block3_conv3') && !has('block3_conv4') && has('block4_conv1');
  const deep = has('block4_conv3') && !has('block4_conv4') && has('block5_conv1');
  return shallow || deep ? 'VGG-16' : undefined;
}

/** torchvision numbers a network's steps, so the numbers of its convolutions identify a network. */
function torchNetwork(tensors: readonly StoredTensor[]): string | undefined {
  const found = tensors.flatMap(({ name, shape }) => {
    const index = name.match(/(^|\.)features\.(\d+)\.weight$/)?.[2];
    return index !== undefined && shape.length === 4 ? [Number(index)] : [];
  });
  const fits = (blocks: readonly number[], stepsEach: number) => {
    const convolutions = indicesOf(blocks, stepsEach);
    return found.every((index) => convolutions.includes(index));
  };
  if (fits(vgg19Blocks, 2)) return undefined;
  const plain = Object.entries(relatives).find(([, blocks]) => fits(blocks, 2));
  if (plain) return plain[0];
  const all = Object.entries({ ...relatives, 'VGG-19': vgg19Blocks });
  const normalised = all.find(([, blocks]) => fits(blocks, 3));
  return normalised ? `${normalised[0]} with batch normalisation` : 'another network';
}

/**
 * Indices of the convolutions among the steps of a network in which every convolution takes `stepsEach` steps (itself,
 * its ReLU and perhaps a batch normalisation between them) and every block ends in a pooling.
 */
function indicesOf(blocks: readonly number[], stepsEach: number): readonly number[] {
  let start = 0;
  return blocks.flatMap((convolutions) => {
    const indices = Array.from({ length: convolutions }, (_, i) => start + i * stepsEach);
    start += convolutions * stepsEach + 1;
    return indices;
  });
}
