import { type OpenGeneratorOn, openGeneratorOn } from '../engines/open-generator';
import type { Generator } from '../features/generator';
import { decodeGenerator } from '../generators/file/decode-generator';
import {
  type GeneratorSource,
  generatorLoader,
  type LoadGeneratorOptions,
  loadGenerator as loadGeneratorFromPage,
} from '../generators/file/load-generator';
import { type SaveGenerator, saveGeneratorOn } from '../generators/file/save-generator';
import { type Stylize, stylizeOn } from '../generators/stylize';
import type { Bytes } from '../storage/byte-store';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';
import { sourceBytes } from './source-bytes';
import { nameOf } from './style-files';
import { type NodeStyleDestination, openDestination } from './styles';

/** A destination of a generator file in Node: a path or a `file:` URL that ends in `.safetensors`, or a writer. */
export type NodeGeneratorDestination = NodeStyleDestination;

/**
 * Reads a generator file, which {@link saveGenerator} or the command `train` wrote.
 *
 * @param source a path, a `file:`, `http(s):` or `data:` URL, or its bytes
 * @returns the generator: plain data, in no need of disposal
 * @throws ImageError if the file does not exist or cannot be read; otherwise as `loadGenerator` of
 *   `tfjs-style-transfer/generators`
 * @example
 * ```ts
 * const generator = await loadGenerator('mosaic.safetensors');
 * const { image } = await stylize('photo.jpg', generator);
 * ```
 */
export async function loadGenerator(
  source: GeneratorSource,
  options: LoadGeneratorOptions = {},
): Promise<Generator> {
  const isUrl = (typeof source === 'string' || source instanceof URL) && /^https?:/i.test(String(source));
  if (isUrl || source instanceof ArrayBuffer) return loadGeneratorFromPage(source, options);
  const bytes = await sourceBytes('generator', source, generatorLoader.requireNoDownload(options));
  const unshared = bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice();
  return decodeGenerator(nameOf(source, 'the generator'), unshared);
}

/**
 * `saveGenerator` that writes to a path; the file is replaced atomically, so that a program that ends early leaves the
 * file that was there. Folders are not created.
 *
 * @throws ImageError `NOT_WRITABLE` if the file cannot be written; otherwise as `saveGenerator` of
 *   `tfjs-style-transfer/generators`
 * @example
 * ```ts
 * await saveGenerator('mosaic.safetensors', generator, { quantize: true });
 * ```
 */
export const saveGenerator: SaveGenerator<NodeGeneratorDestination> =
  /* @__PURE__ */ saveGeneratorOn(openDestination);

/**
 * `stylize` that also accepts paths, URLs and the bytes of image files. If the program has not set up a tfjs backend,
 * it starts wasm.
 *
 * @throws ImageError if a file cannot be read; otherwise as `stylize` of `tfjs-style-transfer/generators`
 * @example
 * ```ts
 * const { image } = await stylize('photo.jpg', await loadGenerator('mosaic.safetensors'));
 * await writeImage(image, 'out.png');
 * ```
 */
export const stylize: Stylize<NodeImageInput> = /* @__PURE__ */ stylizeOn(platform);

/**
 * `openGenerator` that starts wasm if the program has not set up a tfjs backend.
 *
 * @throws as `openGenerator` of `tfjs-style-transfer/generators`
 * @example
 * ```ts
 * using open = await openGenerator(await loadGenerator('mosaic.safetensors'));
 * ```
 */
export const openGenerator: OpenGeneratorOn = /* @__PURE__ */ openGeneratorOn(platform);
