import type { Generator } from '../../features/generator';
import { decodeGenerator } from '../file/decode-generator';
import bytes from './base.bin';

/**
 * The generator of this package, which trainings start from. `npm run train:base` trains it from nothing but a seed, on
 * pictures that are drawn. Import it dynamically only, because its code has 0.16 MB.
 */
export const ownBase = (): Generator => decodeGenerator('the base of this package', bytes);
