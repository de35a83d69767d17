import { ImageError } from '../errors';
import { type Vgg19Layer, vgg19Layers } from '../features/vgg19/layers';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import type { Settings } from './options';
import type { Stage } from './schedule';
import type { OpenedStyle } from './styles';

/**
 * Throws before any work if a style layer of the preset has one position only at the first size of a run, where the
 * spread of its features is 0. Gram matrices have no such limit.
 *
 * @param first the first stage, the smallest
 * @param rule of the style images' sizes in the last stage
 * @throws ImageError `TOO_SMALL`, which names image, layer and the least that is accepted
 */
export function requirePositions(
  { loss, preset }: Settings,
  first: Stage,
  styles: readonly OpenedStyle[],
  rule: SizeRule,
): void {
  const { statistic = 'gram', layers } = preset.style;
  if (loss !== undefined || statistic === 'gram') return;
  const side = 2 ** Math.max(...layers.map(poolsBefore));
  const requireTwo = (option: string, { width, height }: Size) => {
    if (Math.floor(width / side) * Math.floor(height / side) > 1) return;
    const accepted = `at least ${side} pixels one way and ${2 * side} the other`;
    throw new ImageError(
      'TOO_SMALL',
      `${option} has ${width} x ${height} pixels at the first size of the run, where a layer of the preset '${preset.name}' has one position at most, and the statistic '${statistic}' needs two; accepted: ${accepted}.`,
      { option, value: [width, height], accepted },
    );
  };
  requireTwo('content', first);
  for (const { option, image } of styles) {
    if (!image) continue;
    const { width, height } = sizeAfter(rule, image.width, image.height);
    const longerSide = Math.round(first.scale * Math.max(width, height));
    requireTwo(option, first.scale === 1 ? { width, height } : sizeAfter({ longerSide }, width, height));
  }
}

/** Poolings between the image and a layer; each halves both sides, rounding down. */
const poolsBefore = (layer: Vgg19Layer) =>
  vgg19Layers.slice(0, vgg19Layers.indexOf(layer) + 1).filter((name) => name.startsWith('pool')).length;
