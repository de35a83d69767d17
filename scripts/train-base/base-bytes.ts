import { createGenerator, type Generator } from '../../src/features/generator.ts';
import { decodeGenerator } from '../../src/generators/file/decode-generator.ts';
import { encodeGenerator } from '../../src/generators/file/encode-generator.ts';
import type { Bytes } from '../../src/storage/byte-store.ts';

/** The file of a stage of the package's generator, with kernels in 8 bits. */
export const baseBytes = ({ name, network, weights, training }: Generator): Bytes =>
  encodeGenerator(createGenerator({ name, network, weights, training, license: 'MIT' }), { quantize: true });

/** What such a file holds, from which the next stage starts. */
export const baseFrom = (bytes: Bytes): Generator => decodeGenerator('the stage before', bytes);
