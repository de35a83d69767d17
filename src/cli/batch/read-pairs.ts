import { readFile } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { BatchPair } from '../../batch/batch-options';
import { jobSettingNames } from '../../batch/jobs';
import { isUrl } from '../../batch/stores';
import { InvalidArgumentError } from '../../errors';
import { readRecord } from '../../node/read-settings-record';
import { showText, showValue } from '../../options/show';
import type { Option } from '../../options/table';
import { requireKnownOptions } from '../../options/validate';
import { styleTransferOptions } from '../../transfer/options';
import type { SettingsRecord } from '../../transfer/settings-record';
import { flagValues } from '../flag-values';

/** A line of a file of pairs, and its number. */
interface Line {
  readonly number: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const columns = ['content', 'style', 'styleWeights', 'output'] as const;

/**
 * The pairs of a file: CSV with a line of column names, or JSON lines. Columns are `content`, `style`, perhaps `output`
 * and options of the picture by their names, such as `beta`; `settings` is a file that holds those of a run. In JSON
 * lines `style` may be a list with `styleWeights`. Paths are relative to the folder of the file.
 *
 * @throws InvalidArgumentError if the file cannot be read, or a line is wrong, which the message names
 */
export async function readPairs(file: string): Promise<readonly BatchPair[]> {
  const extension = extname(file).toLowerCase();
  const read = readers[extension];
  if (!read) {
    const accepted = Object.keys(readers).join(', ');
    throw wrong(file, `pairs is ${showValue(file)}; accepted: a file with the extension ${accepted}.`);
  }
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw wrong(
      file,
      `pairs ${showValue(file)} cannot be read: ${showText((cause as Error).message, 200)}.`,
      cause,
    );
  }
  const records = new Map<string, Promise<SettingsRecord>>();
  const recordIn = (place: string) => {
    const record = records.get(place) ?? readRecord('settings', place);
    records.set(place, record);
    return record;
  };
  const pairs: BatchPair[] = [];
  for (const line of read(file, text)) pairs.push(await pairOf(file, line, recordIn));
  return pairs;
}

const readers: Readonly<Record<string, (file: string, text: string) => readonly Line[]>> = {
  '.csv': csvLines,
  '.jsonl': jsonLines,
  '.ndjson': jsonLines,
};

function csvLines(file: string, text: string): readonly Line[] {
  let found: readonly {
    readonly record: Record<string, string>;
    readonly info: { readonly lines: number };
  }[];
  try {
    found = parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true, info: true });
  } catch (cause) {
    throw wrong(
      file,
      `pairs ${showValue(file)} is no CSV: ${showText((cause as Error).message, 200)}.`,
      cause,
    );
  }
  return found.map(({ record, info }) => ({
    number: info.lines,
    fields: Object.fromEntries(
      Object.entries(record).flatMap(([name, cell]) => (cell === '' ? [] : [[name, cellValue(name, cell)]])),
    ),
  }));
}

/** The value that a cell stands for, as a flag's text does. */
function cellValue(name: string, cell: string): unknown {
  const option = (styleTransferOptions.options as Readonly<Record<string, Option<unknown>>>)[name];
  if (option?.kind) return flagValues[option.kind](cell);
  const isSwitch = option?.flag !== undefined && !/[<[]/.test(option.flag);
  return isSwitch && /^(true|false)$/.test(cell) ? cell === 'true' : cell;
}

function jsonLines(file: string, text: string): readonly Line[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    let fields: unknown;
    try {
      fields = JSON.parse(line);
    } catch {
      // Refused below.
    }
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields))
      return [{ number: i + 1, fields: fields as Line['fields'] }];
    throw wrong(file, `Line ${i + 1} of pairs ${showValue(file)} is no object of JSON.`);
  });
}

/** @param recordIn reads the settings of a run that a file holds */
async function pairOf(
  file: string,
  { number, fields }: Line,
  recordIn: (place: string) => Promise<SettingsRecord>,
): Promise<BatchPair> {
  const place = (value: unknown) => placeIn(dirname(file), value);
  let repeated: SettingsRecord | undefined;
  try {
    requireKnownOptions('a pair', fields, [...columns, ...jobSettingNames]);
    for (const name of ['content', 'style'])
      if (fields[name] === undefined)
        throw new InvalidArgumentError('MISSING', `There is no ${name}; accepted: a path or a URL.`, {
          option: name,
        });
    if (fields.settings !== undefined) repeated = await recordIn(String(place(fields.settings)));
  } catch (error) {
    throw wrong(file, `Line ${number} of pairs ${showValue(file)}: ${(error as Error).message}`, error);
  }
  const { content, style, styleWeights, output, settings: _, ...options } = fields;
  const settings = repeated === undefined ? options : { ...options, settings: repeated };
  return {
    content: place(content),
    style: Array.isArray(style) ? style.map(place) : place(style),
    styleWeights,
    output,
    settings: Object.keys(settings).length === 0 ? undefined : settings,
  } as BatchPair;
}

/** A path relative to a folder; what is no path stays as it is. */
function placeIn(folder: string, value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return isAbsolute(value) || isUrl(value) ? value : join(folder, value);
}

function wrong(file: string, message: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError('WRONG_TYPE', message, { option: 'pairs', value: file, cause });
}
