import { InvalidArgumentError } from '../errors';
import type { LayerName } from './layer-name';

/**
 * Throws unless a network has every needed layer.
 *
 * @param option the option that is wrong if one is missing
 * @param needs the part that needs the layers, for the message: `'The loss'`
 * @param network its name and its layers
 * @throws InvalidArgumentError `MISSING_LAYER`, which names the missing layer and the existing ones
 */
export function requireLayers(
  option: string,
  needs: string,
  wanted: readonly LayerName[],
  network: { readonly name: string; readonly layers: readonly LayerName[] },
): void {
  const { name, layers } = network;
  const missing = wanted.find((layer) => !layers.includes(layer));
  if (missing === undefined) return;
  throw new InvalidArgumentError(
    'MISSING_LAYER',
    `${needs} needs layer '${missing}', which ${name} does not have; it has: ${layers.join(', ')}.`,
    { option, value: missing, accepted: layers },
  );
}
