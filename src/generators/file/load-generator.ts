import type { Generator } from '../../features/generator';
import { type FileSource, fileLoader, type LoadFileOptions } from '../../storage/file-source';
import { decodeGenerator } from './decode-generator';

/** A generator file: the URL of one, or its bytes. In Node also a path. */
export type GeneratorSource = FileSource;

/** Options of {@link loadGenerator}; those of downloads are for URLs only. */
export type LoadGeneratorOptions = LoadFileOptions;

/** Reads generator files, of at most 256 MiB: Johnson's network of the paper's width takes 7 MB. */
export const generatorLoader = /* @__PURE__ */ fileLoader({
  caller: 'loadGenerator',
  option: 'generator',
  what: 'a generator file',
  maxBytes: 2 ** 28,
});

/**
 * Reads a generator file, which `saveGenerator` or the command `train` wrote.
 *
 * @param source its URL, or its bytes
 * @returns the generator: plain data, in no need of disposal
 * @throws InvalidArgumentError if `source` or an option is of another kind; WeightsError `MALFORMED_GENERATOR` if the
 *   bytes are no generator file or one of an unknown version, `WRONG_WEIGHTS` if tensors are missing or have other
 *   shapes, `DOWNLOAD_FAILED` if it cannot be fetched; the signal's reason
 * @example
 * ```ts
 * const generator = await loadGenerator('https://example.org/generators/mosaic.safetensors');
 * const { image } = await stylize(photo, generator);
 * ```
 */
export async function loadGenerator(
  source: GeneratorSource,
  options: LoadGeneratorOptions = {},
): Promise<Generator> {
  const { bytes, name } = await generatorLoader.load(source, options);
  return decodeGenerator(name, bytes);
}
