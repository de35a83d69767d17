export { type CheckGradientOptions, checkGradient, type GradientCheck } from './check-gradient';
export { expectNoLeak } from './expect-no-leak';
export { type TinyExtractorOptions, tinyExtractor } from './tiny-extractor';
