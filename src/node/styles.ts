import { extname } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import {
  type LoadStyleOptions,
  loadStyle as loadStyleFromPage,
  type StyleSource,
  styleLoader,
} from '../styles/load-style';
import type { StyleFile } from '../styles/style-file';
import { type MakeStyle, makeStyleOn } from '../transfer/make-style';
import { openWriter, type SaveStyle, type StyleWriter, saveStyleOn } from '../transfer/save-style';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';
import { readStyleFile, styleExtension } from './style-files';
import { filePath, requireWritableFile, writeBytes } from './write-file';

/** A style file in Node: a path, a `file:`, `http(s):` or `data:` URL, or its bytes. */
export type NodeStyleSource = StyleSource;

/** A destination of a style file in Node: a path or a `file:` URL that ends in `.safetensors`, or a writer. */
export type NodeStyleDestination = string | URL | StyleWriter;

/**
 * Reads a style file, which {@link saveStyle} or the command `style make` wrote.
 *
 * @returns the style: plain numbers, in no need of disposal
 * @throws ImageError if the file does not exist, cannot be read or is no style file; otherwise as `loadStyle` of the
 *   package's root
 * @example
 * ```ts
 * const style = await loadStyle('mosaic.safetensors');
 * const { image } = await styleTransfer('photo.jpg', style);
 * ```
 */
export async function loadStyle(source: NodeStyleSource, options: LoadStyleOptions = {}): Promise<StyleFile> {
  const isUrl = (typeof source === 'string' || source instanceof URL) && /^https?:/i.test(String(source));
  if (isUrl || source instanceof ArrayBuffer) return loadStyleFromPage(source, options);
  return readStyleFile('style', source, styleLoader.requireNoDownload(options));
}

/**
 * `makeStyle` whose images may also be paths, URLs and the bytes of image files. If the program has not set up a tfjs
 * backend, it starts wasm.
 *
 * @throws ImageError if a file cannot be read; otherwise as `makeStyle` of the package's root
 * @example
 * ```ts
 * const style = await makeStyle([{ image: 'one.jpg', weight: 2 }, { image: 'mosaic.safetensors' }]);
 * ```
 */
export const makeStyle: MakeStyle<NodeImageInput> = /* @__PURE__ */ makeStyleOn(platform);

/**
 * `saveStyle` that writes to a path; the file is replaced atomically, so that a program that ends early leaves the file
 * that was there. Folders are not created.
 *
 * @throws ImageError `NOT_WRITABLE` if the file cannot be written, before any work if that can be known; otherwise as
 *   `saveStyle` of the package's root
 * @example
 * ```ts
 * await saveStyle('mosaic.safetensors', 'mosaic.jpg', { size: 512 });
 * ```
 */
export const saveStyle: SaveStyle<NodeImageInput, NodeStyleDestination> = /* @__PURE__ */ saveStyleOn(
  makeStyle,
  openDestination,
);

/** Checks a destination of a `.safetensors` file and returns what writes to it. */
export async function openDestination(
  destination: NodeStyleDestination,
): Promise<(bytes: Uint8Array<ArrayBuffer>) => Promise<void>> {
  if (typeof destination !== 'string' && !(destination instanceof URL)) return openWriter(destination);
  const file = filePath(destination);
  requireStyleExtension('path', file);
  await requireWritableFile(file);
  return (bytes) => writeBytes(file, bytes);
}

/** Throws unless a path ends as style files do, by which `styleTransfer` and the command know them. */
export function requireStyleExtension(option: string, path: string): void {
  if (extname(path).toLowerCase() === styleExtension) return;
  const accepted = `a file with the extension ${styleExtension}`;
  throw new InvalidArgumentError(
    'UNKNOWN_FORMAT',
    `${option} is ${showValue(path)}; accepted: ${accepted}.`,
    {
      option,
      value: path,
      accepted,
    },
  );
}
