export {
  type ConvLayer,
  type PoolLayer,
  type ReluLayer,
  type Vgg19Layer,
  vgg19Layers,
} from './layers';
export type { Pooling } from './network';
export {
  type ResolvedWeights,
  type ResolveWeightsOptions,
  resolveWeights,
  type Weights,
  type WeightsPlatform,
} from './resolve-weights';
export { type Vgg19WeightsOptions, vgg19Mirrors, vgg19Weights } from './vgg19-weights';
