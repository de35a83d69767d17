import type { Tensor3D } from '@tensorflow/tfjs-core';

/** An image: [height, width, 3], RGB, float32, in [0,1]. */
export type Image = Tensor3D;
