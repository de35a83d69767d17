import type { StyleTransferResult } from '../transfer/style-transfer';

/** An image as plain numbers, as accurate as it was painted; an image input. */
export interface RgbImage {
  /** RGB in [0,1], row-major, width * height * 3 values. */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
}

/** Result of {@link styleTransfer} of `tfjs-style-transfer/worker`: plain data, in no need of disposal. */
export interface WorkerResult extends Omit<StyleTransferResult, 'image' | 'dispose' | typeof Symbol.dispose> {
  readonly image: RgbImage;
  /** The image for canvases. `close()` frees its memory before the garbage collector does. */
  readonly bitmap: ImageBitmap;
}
