import type { Generator } from '../features/generator';
import { showUrl } from '../options/show';
import type { Bytes } from '../storage/byte-store';
import { decodeStyle } from '../styles/decode-style';
import type { StyleFile } from '../styles/style-file';
import type { NodeImageInput } from './image-input';
import { type ImageSource, isImageSource, sourceBytes } from './source-bytes';

/** The extension of style files. */
export const styleExtension = '.safetensors';

/** Reads the style file that an input of `styleTransfer` names; undefined for images. */
export async function openStyleFile(
  option: string,
  input: NodeImageInput,
  signal?: AbortSignal,
): Promise<StyleFile | undefined> {
  return isImageSource(input) && isStyleSource(input) ? readStyleFile(option, input, signal) : undefined;
}

/**
 * Whether a source is a style file rather than an image: by its extension, or by its first bytes, with which no image
 * file begins: the length of a header of less than 16 MB, and the brace that opens the header.
 */
function isStyleSource(source: ImageSource): boolean {
  if (typeof source === 'string' || source instanceof URL)
    return String(source)
      .replace(/^((?:https?|file):[^?#]*).*$/is, '$1')
      .toLowerCase()
      .endsWith(styleExtension);
  if (!(source instanceof Uint8Array)) return false;
  return source[8] === '{'.charCodeAt(0) && source.subarray(3, 8).every((byte) => byte === 0);
}

/** Reads the generator file that the start of a run names; undefined for images. */
export async function openGeneratorFile(
  option: string,
  input: NodeImageInput,
  signal?: AbortSignal,
): Promise<Generator | undefined> {
  if (!isImageSource(input) || !isStyleSource(input)) return undefined;
  const bytes = await sourceBytes(option, input, signal);
  const unshared = bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice();
  const { decodeGenerator } = await import('../generators/file/decode-generator');
  return decodeGenerator(nameOf(input, 'the generator'), unshared);
}

/** Reads a style file from a path, a URL or bytes. @param option name of the argument, for errors */
export async function readStyleFile(
  option: string,
  source: ImageSource,
  signal?: AbortSignal,
): Promise<StyleFile> {
  const bytes = await sourceBytes(option, source, signal);
  const unshared = bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice();
  return decodeStyle(option, nameOf(source, 'the style'), unshared);
}

/** Name of a source, for messages. @param otherwise for bytes */
export function nameOf(source: ImageSource, otherwise: string): string {
  if (typeof source === 'string') return /^(https?|data):/i.test(source) ? showUrl(source) : source;
  return source instanceof URL ? showUrl(source) : otherwise;
}
