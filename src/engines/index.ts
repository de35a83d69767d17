export { type Engine, type LoadVgg19Options, loadVgg19 } from './load-vgg19';
