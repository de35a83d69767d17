import type * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';

/** What a run that paints a frame of a film knows of the frame before. */
export interface LaterFrame {
  /** Holds the frame to the previous result; undefined where no motion is known. */
  readonly temporal?: TemporalTarget | undefined;
}

/** The target of the temporal loss of a frame; its tensors remain the caller's. */
export interface TemporalTarget {
  /** [height, width, 3] of the painted size: the previous result at the positions of this frame. */
  readonly warped: Image;
  /** [height, width], where it counts. */
  readonly reliability: tf.Tensor2D;
  readonly weight: number;
}

/** Bytes of a frame's images beside those of a run: target and reliability as tensors, and in the engine. */
export const laterFrameBytes = ({ width, height }: Size): number => 4 * 2 * (3 + 1) * width * height;
