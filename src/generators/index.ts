export type { Architecture } from './architectures/architecture';
export { type JohnsonOptions, johnson } from './architectures/johnson';
export { createGenerator, type Generator, type GeneratorParts } from './generator';
