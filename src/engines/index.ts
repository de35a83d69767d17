export { type Engine, type LoadVgg19Options, loadVgg19 } from './load-vgg19';
export type { Pooling } from './tfjs/tfjs-extractor';
