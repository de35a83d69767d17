export { leaves, sum, weighted } from './compose';
export { type ContentLossOptions, contentLoss } from './content-loss';
export type { Distance } from './distance';
export { type GramMatrixOptions, type GramNormalization, gramMatrix } from './gram-matrix';
export type { Loss, LossTerm, WeightedLoss } from './loss';
export { type PerceptualLossOptions, perceptualLoss } from './perceptual-loss';
export { type PixelLossOptions, pixelLoss } from './pixel-loss';
export { type StyleLossOptions, styleLoss } from './style-loss';
export { type TotalVariationLossOptions, totalVariationLoss } from './total-variation-loss';
