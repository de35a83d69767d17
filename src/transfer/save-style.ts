import { InvalidArgumentError } from '../errors';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import { encodeStyle } from '../styles/encode-style';
import type { StyleFile } from '../styles/style-file';
import { type MakeStyle, type MakeStyleOptions, makeStyle, type StyleInputs } from './make-style';

/**
 * A destination of bytes: a `WritableStream`, such as a file that the user of a page has chosen
 * (`showSaveFilePicker`), or anything with `write` and perhaps `close`.
 */
export type StyleWriter =
  | WritableStream<Uint8Array<ArrayBuffer>>
  | {
      /** Takes the bytes of the file; a promise is awaited. */
      write(bytes: Uint8Array<ArrayBuffer>): unknown;
      /** Ends the file; a promise is awaited. */
      close?(): unknown;
    };

/**
 * Makes a style of one or many images and writes it as a `.safetensors` file; or writes a style that there is.
 *
 * The file holds, for each layer l, the tensor `gram.l`, [channels, channels] in F32, and as metadata all of
 * `StyleFacts`. It holds no image and no place where one came from.
 *
 * @param destination checked before any work, and written to once the style is complete
 * @param styles as for `makeStyle`: an image, a style, or entries `{ image, weight }` of both
 * @returns the style that has been written
 * @throws InvalidArgumentError if the destination is none; any error of the destination; otherwise as `makeStyle`
 * @example
 * ```ts
 * const handle = await showSaveFilePicker({ suggestedName: 'mosaic.safetensors' });
 * await saveStyle(await handle.createWritable(), painting);
 * ```
 */
export type SaveStyle<Input, Destination> = (
  destination: Destination,
  styles: StyleInputs<Input>,
  options?: MakeStyleOptions,
) => Promise<StyleFile>;

/** Makes `saveStyle` for a platform. @param open checks a destination and returns what writes to it */
export function saveStyleOn<Input, Destination>(
  makeStyle: MakeStyle<Input>,
  open: (destination: Destination) => Promise<(bytes: Uint8Array<ArrayBuffer>) => Promise<void>>,
): SaveStyle<Input, Destination> {
  return async (destination, styles, options) => {
    const write = await open(destination);
    const style = await makeStyle(styles, options);
    await write(encodeStyle(style));
    return style;
  };
}

/** Makes a style of one or many images and writes it; see {@link SaveStyle}. */
export const saveStyle: SaveStyle<ImageInput, StyleWriter> = /* @__PURE__ */ saveStyleOn(
  makeStyle,
  openWriter,
);

/** What writes to a writer; the writer itself is used only then. */
export async function openWriter(
  destination: StyleWriter,
): Promise<(bytes: Uint8Array<ArrayBuffer>) => Promise<void>> {
  const { write, getWriter } = (destination ?? {}) as Partial<
    WritableStream<Uint8Array> & Record<'write', unknown>
  >;
  if (typeof getWriter !== 'function' && typeof write !== 'function') {
    const accepted = 'a WritableStream, or an object with write(bytes)';
    throw new InvalidArgumentError(
      'WRONG_TYPE',
      `destination is ${showValue(destination)}; accepted: ${accepted}.`,
      { option: 'destination', value: destination, accepted },
    );
  }
  return async (bytes) => {
    const writer = 'getWriter' in destination ? destination.getWriter() : destination;
    await writer.write(bytes);
    await writer.close?.();
  };
}
