import { InvalidArgumentError } from '../../errors';
import { showText, showValue } from '../../options/show';
import type { Option } from '../../options/table';
import { requireName } from '../../options/validate';
import { styleTransferOptions } from '../../transfer/options';
import { flagValues } from '../flag-values';
import { longFlag } from '../flags';

/** An option that varies, with its values in order. */
export interface Axis {
  readonly option: string;
  readonly values: readonly AxisValue[];
}

/** A value of an option as it was typed, and as the option's table reads it. */
export interface AxisValue {
  readonly text: string;
  readonly value: unknown;
}

/** A cell of the grid: one run. */
export interface Cell {
  /** Name of its picture: `beta=1e4 preset=li2021.png`. */
  readonly file: string;
  /** `beta=1e4 preset=li2021`. */
  readonly title: string;
  /** The options that vary. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The same as they are typed. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Rows of cells; the last axis runs along a row, the others from row to row. */
export interface Grid {
  readonly rows: readonly GridRow[];
  /** Titles of the columns. */
  readonly columns: readonly string[];
}

/** A row of a {@link Grid}. */
export interface GridRow {
  /** Empty if only one option varies. */
  readonly title: string;
  readonly cells: readonly Cell[];
}

/** Cells of a grid at most: a typing error must not start a week of work. */
const mostCells = 400;

/** The options of `styleTransfer` that have a flag, without the one that replaces them all. */
const rows: Readonly<Record<string, Option<unknown>>> = Object.fromEntries(
  Object.entries<Option<unknown>>(styleTransferOptions.options).filter(
    ([name, { flag }]) => flag !== undefined && name !== 'settings',
  ),
);

/** Kinds of options whose values hold commas themselves. */
const withCommas: readonly Option<unknown>['kind'][] = ['scales', 'numbers', 'names', 'layerWeights'];

/**
 * Reads what `--vary` says, such as `beta=1e4,1e5`. Values with commas of their own, such as lists of scales, are
 * separated by semicolons.
 *
 * @throws InvalidArgumentError if an option is unknown or varies twice, or a value is not accepted
 */
export function readAxes(vary: readonly string[]): readonly Axis[] {
  const axes = vary.map(readAxis);
  const twice = axes.find(({ option }, i) => axes.findIndex((axis) => axis.option === option) < i);
  if (twice)
    throw refusal('CONFLICTING_OPTIONS', twice.option, `is ${twice.option} twice`, 'each option once');
  const cells = axes.reduce((count, { values }) => count * values.length, 1);
  if (cells > mostCells)
    throw refusal('OUT_OF_RANGE', cells, `is ${cells} pictures in all`, `at most ${mostCells}`);
  return axes;
}

function readAxis(text: string): Axis {
  const split = text.indexOf('=');
  const typed = text.slice(0, Math.max(0, split)).trim();
  // `layer-weights` and `--layer-weights` are the option layerWeights.
  const option = typed.replace(/^--/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (split < 0 || text.slice(split + 1).trim() === '')
    throw refusal('WRONG_TYPE', text, `is ${showValue(text)}`, 'an option and values, such as beta=1e4,1e5');
  requireName('vary', option, Object.keys(rows));
  const row = rows[option];
  const list = text.slice(split + 1);
  const separator = list.includes(';') || withCommas.includes(row.kind) ? ';' : ',';
  const texts = list.split(separator).map((value) => value.trim());
  const values = texts.map((value) => ({ text: value, value: readValue(option, row, value) }));
  const again = texts.find((value, i) => texts.indexOf(value) < i);
  if (again !== undefined)
    throw refusal('CONFLICTING_OPTIONS', again, `is ${option}=${showText(again)} twice`, 'each value once');
  return { option, values };
}

/** What a flag's text stands for, checked. Pictures are checked when they are read. */
function readValue(option: string, row: Option<unknown>, text: string): unknown {
  const isSwitch = !/[<[]/.test(row.flag ?? '');
  const value = isSwitch
    ? (({ true: true, false: false } as Readonly<Record<string, unknown>>)[text] ?? text)
    : row.kind
      ? flagValues[row.kind](text)
      : text;
  if (option !== 'init' || !/[./\\]/.test(text)) row.require(option, value);
  return value;
}

function refusal(
  code: 'CONFLICTING_OPTIONS' | 'OUT_OF_RANGE' | 'WRONG_TYPE',
  value: unknown,
  what: string,
  accepted: string,
): InvalidArgumentError {
  return new InvalidArgumentError(code, `vary ${what}; accepted: ${accepted}.`, {
    option: 'vary',
    value,
    accepted,
  });
}

/** The grid of all combinations. */
export function gridOf(axes: readonly Axis[]): Grid {
  const last = axes[axes.length - 1];
  const combinations = axes
    .slice(0, -1)
    .reduce<readonly (readonly Choice[])[]>(
      (all, { option, values }) =>
        all.flatMap((one) => values.map((value) => [...one, { option, ...value }])),
      [[]],
    );
  return {
    columns: last.values.map(({ text }) => `${last.option}=${text}`),
    rows: combinations.map((choices) => ({
      title: titleOf(choices),
      cells: last.values.map((value) => cellOf([...choices, { option: last.option, ...value }])),
    })),
  };
}

type Choice = AxisValue & { readonly option: string };

const titleOf = (choices: readonly Choice[]) =>
  choices.map(({ option, text }) => `${option}=${text}`).join(' ');

function cellOf(choices: readonly Choice[]): Cell {
  const title = titleOf(choices);
  return {
    title,
    file: `${fileName(title)}.png`,
    options: Object.fromEntries(choices.map(({ option, value }) => [option, value])),
    texts: Object.fromEntries(choices.map(({ option, text }) => [option, text])),
  };
}

/** A title as a name that every file system takes; what is replaced is told apart by a checksum. */
function fileName(title: string): string {
  const safe = title.replace(/[^\w=.,+ -]/g, '_').slice(0, 120);
  if (safe === title) return safe;
  let sum = 0;
  for (const character of title) sum = (Math.imul(sum, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return `${safe} ${sum.toString(16)}`;
}

/** The words of a command line that repeats a cell, for a shell of POSIX. */
export function commandOf(
  inputs: readonly string[],
  given: Readonly<Record<string, unknown>>,
  cell: Cell,
  options: Readonly<Record<string, Option<unknown>>>,
): string {
  const flags = { ...textsOf(given), ...cell.texts };
  const words = Object.entries(flags).flatMap(([name, text]) => {
    const long = longFlag(options[name]);
    if (long === undefined || text === 'false') return [];
    return /[<[]/.test(options[name].flag ?? '') ? [long, text] : [long];
  });
  return ['tfjs-style-transfer', ...inputs, ...words, '-o', cell.file].map(quoted).join(' ');
}

/** Values of flags as they would be typed. */
const textsOf = (given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, textOf(value)]));

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('improvement' in value) return Object.values(value).join(':');
  if ('size' in value) return Object.values(value).join(':');
  return Object.entries(value)
    .map(([name, factor]) => `${name}=${factor}`)
    .join(',');
}

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
