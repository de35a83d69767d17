import type { SettingsRecord } from './settings-record';

/** Keyword of the text in PNG files that holds a record; other formats hold it in their XMP, under the same name. */
export const recordKeyword = 'tfjs-style-transfer';

/** Longest record as text, in characters. One of ten thousand styles has 1.5 million. */
export const longestRecord = 2 ** 22;

/** A record as JSON of ASCII without `<`, `>` and `&`: the same in Latin-1, UTF-8 and XML. */
export function recordText(record: SettingsRecord): string {
  return JSON.stringify(record).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Name and version of the program that wrote a record, for the fields of files that name their software. */
export const softwareOf = ({ library }: SettingsRecord) => `tfjs-style-transfer ${library}`;
