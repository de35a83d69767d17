import { convolutionsUpTo } from '../features/vgg19/layers';
import { defaultSize, readSettings, type StyleTransferOptions } from '../transfer/options';
import {
  lastLayerOf,
  type StyleTransferResult,
  styleTransfer as styleTransferAnywhere,
} from '../transfer/style-transfer';
import { decodeInput, type NodeImageInput } from './image-input';
import { nodeWeights } from './node-weights';
import { type ImageSource, isImageSource } from './source-bytes';

/** Options of {@link styleTransfer}: as everywhere, with image files, and folders of weights. */
export interface NodeStyleTransferOptions extends Omit<StyleTransferOptions, 'init'> {
  /** Where to start: from the content (keeps its structure), seeded noise, the style, or an image or image file of yours. @default 'content' */
  readonly init?: 'content' | 'noise' | 'style' | NodeImageInput | undefined;
}

/**
 * `styleTransfer` that also takes paths, URLs and the bytes of image files, and for `weights` the path of a folder or file.
 *
 * @param content what is to be seen
 * @param style how it is to be painted
 * @param alpha weight of the content, at least 0
 * @param beta weight of the style, at least 0
 * @returns the image and how it came about; it belongs to the caller
 * @throws ImageError if a file cannot be read; otherwise as `styleTransfer`
 * @example
 * ```ts
 * const { image } = await styleTransfer('photo.jpg', 'painting.jpg', { size: 256 });
 * await writeImage(image, 'out.png');
 * ```
 */
export async function styleTransfer(
  content: NodeImageInput,
  style: NodeImageInput,
  alpha: number,
  beta: number,
  options?: NodeStyleTransferOptions,
): Promise<StyleTransferResult>;
export async function styleTransfer(
  content: NodeImageInput,
  style: NodeImageInput,
  options?: NodeStyleTransferOptions,
): Promise<StyleTransferResult>;
export async function styleTransfer(
  content: NodeImageInput,
  style: NodeImageInput,
  alphaOrOptions?: number | NodeStyleTransferOptions,
  beta?: number,
  rest?: NodeStyleTransferOptions,
): Promise<StyleTransferResult> {
  const weighed = typeof alphaOrOptions === 'number';
  const given = weighed ? rest : alphaOrOptions;
  const start = startFile(given?.init);
  const options = (start === undefined ? given : { ...given, init: undefined }) as StyleTransferOptions;

  // Checked here already, so that nothing is read in vain.
  const checked = weighed
    ? readSettings(alphaOrOptions, beta, options)
    : readSettings(options, undefined, undefined);
  const { size = defaultSize, styleSize = size, signal } = checked;
  return styleTransferAnywhere(
    await decodeInput('content', content, { atMost: size }, signal),
    await decodeInput('style', style, { atMost: styleSize }, signal),
    {
      ...options,
      ...(weighed && { alpha: alphaOrOptions, beta }),
      ...(start !== undefined && { init: await decodeInput('init', start, { atMost: size }, signal) }),
      ...(checked.extractor === undefined && {
        weights: await nodeWeights(checked.weights, {
          layers: convolutionsUpTo(lastLayerOf(checked)),
          signal,
          onWarning: (warning) => void checked.onProgress?.({ type: 'warning', ...warning }),
        }),
      }),
    },
  );
}

/** What `init` names a file by. Words without a dot or slash are names, misspelt ones included. */
function startFile(init: NodeStyleTransferOptions['init']): ImageSource | undefined {
  if (typeof init === 'string' && !/[./\\]/.test(init)) return undefined;
  return isImageSource(init) ? init : undefined;
}
