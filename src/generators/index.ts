export type { Architecture } from './architectures/architecture';
export { type JohnsonOptions, johnson } from './architectures/johnson';
