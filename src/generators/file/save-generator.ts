import type { Generator } from '../../features/generator';
import { openWriter, type StyleWriter } from '../../transfer/save-style';
import { type EncodeGeneratorOptions, encodeGenerator } from './encode-generator';

/**
 * Writes a generator as a `.safetensors` file.
 *
 * @param destination checked before any work
 * @throws InvalidArgumentError if the destination or the generator is none; any error of the destination
 * @example
 * ```ts
 * const handle = await showSaveFilePicker({ suggestedName: 'mosaic.safetensors' });
 * await saveGenerator(await handle.createWritable(), generator, { quantize: true });
 * ```
 */
export type SaveGenerator<Destination> = (
  destination: Destination,
  generator: Generator,
  options?: EncodeGeneratorOptions,
) => Promise<void>;

/** Makes `saveGenerator` for a platform. @param open checks a destination and returns what writes to it */
export const saveGeneratorOn =
  <Destination>(
    open: (destination: Destination) => Promise<(bytes: Uint8Array<ArrayBuffer>) => Promise<void>>,
  ): SaveGenerator<Destination> =>
  async (destination, generator, options) => {
    const bytes = encodeGenerator(generator, options);
    const write = await open(destination);
    await write(bytes);
  };

/** Writes a generator; see {@link SaveGenerator}. */
export const saveGenerator: SaveGenerator<StyleWriter> = /* @__PURE__ */ saveGeneratorOn(openWriter);
