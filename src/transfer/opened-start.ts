import type { OpenImage } from '../image/image-reader';
import type { Platform } from '../platform';
import type { GeneratorStart } from './generator-start';
import { isPainter, isStartName, type StyleTransferOptions } from './options';
import type { OpenedStyle } from './styles';

/** A start that is no name: an image, or what a generator paints of the content. */
export type OpenedStart =
  | { readonly image: OpenImage; readonly byGenerator?: undefined }
  | { readonly byGenerator: GeneratorStart; readonly image?: undefined };

/**
 * Opens the start of a run.
 *
 * @param styles of the run, as which a generator that paints as any picture paints
 * @returns undefined of a start by name
 * @throws ImageError or WeightsError if it cannot be read; InvalidArgumentError for a generator that cannot choose a
 *   style
 */
export async function openStart<Input>(
  platform: Platform<Input>,
  init: StyleTransferOptions<Input>['init'],
  styles: readonly OpenedStyle[],
  signal: AbortSignal | undefined,
): Promise<OpenedStart | undefined> {
  if (init === undefined || isStartName(init)) return undefined;
  const generator = isPainter(init) ? init : await platform.openGenerator?.('init', init, signal);
  if (!generator) return { image: await platform.open('init', init as Input, signal) };
  const { generatorStart } = await import('./generator-start');
  return { byGenerator: generatorStart(generator, styles) };
}
