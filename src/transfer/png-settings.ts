import { version } from '../../package.json';
import { ImageError, InvalidArgumentError } from '../errors';
import { requireRecord } from './replay';
import type { SettingsRecord } from './settings-record';
import { longestRecord, recordKeyword, recordText, softwareOf } from './settings-text';

/**
 * A PNG file with the settings of a run in its text chunks, before the pixels, where readers of headers find them: the
 * record as JSON under the keyword `tfjs-style-transfer`, and `Software`. Chunks of these two that the file has already
 * are replaced. `readSettingsRecord` of `./node`, the command and {@link readPngSettings} read the record back.
 *
 * @param png the bytes of a PNG file, such as those that a canvas's `toBlob` gives; not changed
 * @param settings `result.settings`
 * @throws ImageError `NOT_AN_IMAGE` if the bytes are no PNG file; InvalidArgumentError `MALFORMED_SETTINGS` or
 *   `UNSUPPORTED_SETTINGS` if the record is not accepted
 * @example
 * ```ts
 * const file = pngWithSettings(new Uint8Array(await blob.arrayBuffer()), result.settings);
 * ```
 */
export function pngWithSettings(png: Uint8Array, settings: SettingsRecord): Uint8Array {
  const record = requireRecord(settings);
  const chunks = chunksOf('png', png).filter(
    ({ type, data }) => type !== 'tEXt' || ![recordKeyword, 'Software'].includes(keywordOf(data)),
  );
  const texts = [textChunk('Software', softwareOf(record)), textChunk(recordKeyword, recordText(record))];
  const [header, ...others] = chunks.map(({ bytes }) => bytes);
  return concatenated([png.subarray(0, signature.length), header, ...texts, ...others]);
}

/**
 * Reads the settings of a run from a PNG file that {@link pngWithSettings}, `writeImage(..., { settings })` of `./node`
 * or the command wrote.
 *
 * @param png the bytes of a PNG file
 * @returns the record, checked, for the option `settings` of `styleTransfer`
 * @throws ImageError `NOT_AN_IMAGE` if the bytes are no PNG file, `NO_SETTINGS` if it holds no record, `TOO_LARGE` if
 *   the record is; InvalidArgumentError `MALFORMED_SETTINGS` or `UNSUPPORTED_SETTINGS` if it is not accepted
 * @example
 * ```ts
 * const settings = readPngSettings(new Uint8Array(await file.arrayBuffer()));
 * ```
 */
export function readPngSettings(png: Uint8Array): SettingsRecord {
  const chunk = chunksOf('png', png).find(
    ({ type, data }) => type === 'tEXt' && keywordOf(data) === recordKeyword,
  );
  const accepted = `a PNG file with settings of at most ${longestRecord} characters`;
  const refused = (code: 'NO_SETTINGS' | 'TOO_LARGE', problem: string) =>
    new ImageError(code, `png ${problem}; accepted: ${accepted}.`, { option: 'png', accepted });
  if (!chunk) throw refused('NO_SETTINGS', 'holds no settings');
  const text = chunk.data.subarray(recordKeyword.length + 1);
  if (text.length > longestRecord) throw refused('TOO_LARGE', `holds settings of ${text.length} characters`);
  let record: unknown;
  try {
    record = JSON.parse(latin1(text));
  } catch (cause) {
    const message = `The settings of png are no JSON; this is ${version}.`;
    throw new InvalidArgumentError('MALFORMED_SETTINGS', message, { option: 'png', cause });
  }
  return requireRecord(record);
}

/** A chunk of a PNG file (PNG, 5.3): its length, type, data and checksum are `bytes`. */
interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  readonly bytes: Uint8Array;
}

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** The chunks of a PNG file, the first of which is its header. */
function chunksOf(option: string, png: Uint8Array): readonly Chunk[] {
  const refused = (problem: string) => {
    const accepted = 'the bytes of a PNG file';
    return new ImageError('NOT_AN_IMAGE', `${option} ${problem}; accepted: ${accepted}.`, {
      option,
      accepted,
    });
  };
  if (!(png instanceof Uint8Array) || signature.some((byte, i) => png[i] !== byte))
    throw refused('is no PNG file');
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let at = signature.length; at < png.length; ) {
    const end = at + 12 + (at + 12 <= png.length ? view.getUint32(at) : png.length);
    if (end > png.length) throw refused('is a PNG file that ends early');
    const type = latin1(png.subarray(at + 4, at + 8));
    chunks.push({ type, data: png.subarray(at + 8, end - 4), bytes: png.subarray(at, end) });
    at = end;
  }
  if (chunks[0]?.type !== 'IHDR') throw refused('is a PNG file without a header');
  return chunks;
}

/** The keyword of a text chunk, which a zero byte ends. */
const keywordOf = (data: Uint8Array) => latin1(data.subarray(0, Math.max(0, data.indexOf(0))));

/** A chunk `tEXt` (PNG, 11.3.3.2): length, type, keyword, 0, text in Latin-1, CRC of all but the length. */
function textChunk(name: string, text: string): Uint8Array {
  const content = Uint8Array.from(`tEXt${name}\0${text}`, (character) => character.charCodeAt(0));
  const chunk = new Uint8Array(content.length + 8);
  chunk.set(content, 4);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, content.length - 4);
  view.setUint32(content.length + 4, crc32(content));
  return chunk;
}

/** CRC-32 of PNG (annex D), bit by bit: records are short. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Text of bytes, a character a byte. `TextDecoder`'s Latin-1 is Windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
