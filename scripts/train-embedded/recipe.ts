import type { PictureCounts } from './training-pictures.ts';

/** How one convolution is learned. */
export interface LayerRecipe {
  /**
   * Filters are the directions that whitened patches cluster around; or an orthonormal basis of them, turned at random;
   * or random directions of patches as they are, which is the network that learning is compared with.
   */
  readonly filters: 'clusters' | 'basis' | 'random';
  /** Principal components of its 3x3 patches that are kept. */
  readonly dimensions: number;
  /** How far their variances are made equal: 0 not at all, 1 altogether. */
  readonly whitening: number;
  /** The part of responses that are positive. */
  readonly active: number;
  /** Its part of the style loss, as seen by pictures that have nothing to do with each other. */
  readonly styleShare: number;
}

/** All numbers that training depends on. */
export interface Recipe {
  readonly seed: number;
  readonly pictures: PictureCounts;
  readonly pictureSide: number;
  /** Patches that each layer learns from, and the pictures and crops that they are taken from. */
  readonly patches: { readonly count: number; readonly pictures: number; readonly crop: number };
  /** Fraction of patches excluded from the clustering because of their low contrast. */
  readonly dropped: number;
  readonly whiteningFloor: number;
  readonly clusterIterations: number;
  /** conv1_1 to conv3_1. */
  readonly layers: readonly LayerRecipe[];
  /**
   * Style loss against content loss between pictures that have nothing to do with each other, at alpha = 1, beta = 1e6.
   */
  readonly styleOverContent: number;
}

const layer = { filters: 'clusters', whitening: 0.7, active: 0.6, styleShare: 0.2 } as const;

/** The settings of the package's network; see docs/embedded-network.md. */
export const recipe: Recipe = {
  seed: 1,
  pictures: { strokes: 232, deadLeaves: 143, stripes: 61, clouds: 52 },
  pictureSide: 128,
  patches: { count: 60_000, pictures: 300, crop: 64 },
  dropped: 0.3,
  whiteningFloor: 0.01,
  clusterIterations: 12,
  layers: [
    { ...layer, dimensions: 27 },
    { ...layer, dimensions: 128 },
    { ...layer, dimensions: 128 },
    { ...layer, dimensions: 200 },
    { ...layer, filters: 'basis', dimensions: 256, whitening: 0.5, active: 0.5 },
  ],
  styleOverContent: 500,
};
