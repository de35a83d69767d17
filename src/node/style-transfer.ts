import type { StyleTransferOptions } from '../transfer/options';
import { type StyleTransfer, styleTransferOn } from '../transfer/style-transfer';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';

/** Options of {@link styleTransfer}, with image files accepted for `init` and paths for `weights`. */
export interface NodeStyleTransferOptions extends StyleTransferOptions<NodeImageInput> {}

/**
 * `styleTransfer` that also accepts paths, URLs and the bytes of image files, and for `weights` the path of a folder or
 * file. If the program has not set up a tfjs backend, it starts wasm.
 *
 * @throws ImageError if a file cannot be read; otherwise as `styleTransfer`
 * @example
 * ```ts
 * const { image } = await styleTransfer('photo.jpg', 'painting.jpg', { size: 256 });
 * await writeImage(image, 'out.png');
 * ```
 */
export const styleTransfer: StyleTransfer<NodeImageInput> = /* @__PURE__ */ styleTransferOn(platform);
