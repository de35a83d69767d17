import { ImageError, InvalidArgumentError } from '../errors';
import { abortSignal, optionTable } from '../options/table';
import { requireRecord } from '../transfer/replay';
import type { SettingsRecord } from '../transfer/settings-record';
import { longestRecord } from '../transfer/settings-text';
import { openFile } from './read-pixels';
import { recordTextIn } from './settings-in-files';
import { type ImageSource, sourceBytes, sourceError } from './source-bytes';

/** Options of {@link readSettingsRecord}. */
export interface ReadSettingsRecordOptions {
  /** Ends any wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const options = optionTable<ReadSettingsRecordOptions>()('readSettingsRecord', { signal: abortSignal() });

/**
 * Reads the settings of a run from a picture that the command or `writeImage(..., { settings })` wrote, or from a JSON
 * file: the record itself, or an object with a field `settings`, as the command prints with `--json`.
 *
 * @param source a path, a `file:`, `http(s):` or `data:` URL, or the bytes of a file
 * @returns the record, checked, for the option `settings` of `styleTransfer`
 * @throws ImageError if the file cannot be read, or `NO_SETTINGS` if it holds no record; InvalidArgumentError
 *   `MALFORMED_SETTINGS` or `UNSUPPORTED_SETTINGS` if the record is not accepted; EnvironmentError if sharp, which
 *   reads pictures, is not installed
 * @example
 * ```ts
 * const settings = await readSettingsRecord('out.png');
 * const { image } = await styleTransfer('photo.jpg', 'painting.jpg', { settings });
 * ```
 */
export async function readSettingsRecord(
  source: ImageSource,
  given: ReadSettingsRecordOptions = {},
): Promise<SettingsRecord> {
  const { signal } = options.read(given);
  return readRecord('settings', source, signal);
}

/** {@link readSettingsRecord} with the name of the argument, for messages. */
export async function readRecord(
  option: string,
  source: ImageSource,
  signal?: AbortSignal,
): Promise<SettingsRecord> {
  const bytes = await sourceBytes(option, source, signal);
  const isJson = /^[\s\ufeff]*\{/.test(textOf(bytes.subarray(0, 100)));
  const text = isJson
    ? boundedText(option, source, bytes)
    : await textInPicture(option, source, bytes, signal);
  const record = parse(option, text);
  const inside = Object.hasOwn(record, 'settings') ? (record as { settings: unknown }).settings : record;
  return requireRecord(inside);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function boundedText(option: string, source: ImageSource, bytes: Uint8Array): string {
  if (bytes.length <= longestRecord) return textOf(bytes);
  const accepted = `JSON of at most ${longestRecord} bytes`;
  throw sourceError('TOO_LARGE', option, source, `has ${bytes.length} bytes`, { accepted });
}

async function textInPicture(
  option: string,
  source: ImageSource,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  const none = (problem: string, cause?: unknown) => {
    const accepted = 'a picture that was written with settings, or JSON';
    return sourceError('NO_SETTINGS', option, source, problem, { accepted, cause });
  };
  const { texts } = await openFile(option, bytes, signal).catch((cause: unknown) => {
    throw cause instanceof ImageError && cause.code === 'NOT_AN_IMAGE'
      ? none('is neither a picture nor JSON', cause)
      : cause;
  });
  const text = recordTextIn(texts);
  if (text === undefined) throw none('holds no settings');
  if (text.length <= longestRecord) return text;
  throw sourceError('TOO_LARGE', option, source, `holds settings of ${text.length} characters`, {
    accepted: `at most ${longestRecord} characters`,
  });
}

function parse(option: string, text: string): object {
  let json: unknown;
  let cause: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  const accepted = 'an object';
  throw new InvalidArgumentError(
    'MALFORMED_SETTINGS',
    `${option} hold no object in JSON; accepted: ${accepted}.`,
    {
      option,
      accepted,
      cause,
    },
  );
}
