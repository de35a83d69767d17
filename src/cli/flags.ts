import { type Command, Option as Flag } from 'commander';
import type { Option } from '../options/table';

/** Options of one or several tables, by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/**
 * Gives a command the flags of a table. The values are checked where the table is read, so that they are refused by one message
 * everywhere; left out, they are undefined, so that defaults are the table's.
 *
 * @param required names of options that have to be given
 */
export function addFlags(command: Command, options: Options, required: readonly string[] = []): Command {
  for (const [name, option] of Object.entries(options)) {
    if (option.flag === undefined) continue;
    const flag = new Flag(option.flag, helpOf(option));
    if (option.kind === 'number') flag.argParser(numberOrText);
    if (required.includes(name)) flag.makeOptionMandatory();
    command.addOption(flag);
  }
  return command;
}

/** The options of a table among the values of flags, for the table to read. */
export function only<Table extends Options>(
  options: Table,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(options, name)));
}

/** What a flag does, accepts and stands at, in a line: `longer side of the result (a whole number from 16 to 8192; default: ...)`. */
function helpOf(option: Option<unknown>): string {
  const { text, accepts, standard } = about(option);
  const notes = [
    ...(option.kind === 'number' && accepts ? [accepts] : []),
    ...(standard ? [`default: ${standard}`] : []),
  ];
  return notes.length > 0 ? `${text} (${notes.join('; ')})` : text;
}

/** What documentation tells of a flag; texts are empty where there is nothing to tell. `standard` is the default in words. */
export function about(option: Option<unknown>): {
  readonly text: string;
  readonly accepts: string;
  readonly standard: string;
} {
  // A default that depends on something is told in the help itself.
  const [, text = '', told] = /^(.*?)(?: \(default: (.*)\))?$/s.exec(option.help ?? '') ?? [];
  const fixed = option.default === undefined || option.default === false ? '' : String(option.default);
  return { text, accepts: acceptedValues(option), standard: told ?? fixed };
}

/** Ranges and names. What other options accept is in the words of programs; the help says it in those of the command. */
function acceptedValues({ kind, accepts }: Option<unknown>): string {
  if (typeof accepts === 'string') return kind === 'number' ? accepts : '';
  return accepts.join(', ');
}

/** `--size` of `--size <pixels>`, `--output` of `-o, --output <file>`. */
export function longFlag(option: Option<unknown> | undefined): string | undefined {
  return /--[\w-]+/.exec(option?.flag ?? '')?.[0];
}

const isSwitch = ({ flag = '' }: Option<unknown>) => !/[<[]/.test(flag);

/** Text that is no number is left for the table to refuse. */
function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

/**
 * A message of the library in the words of the command: `relaxedSimd: false` becomes `no --relaxed-simd`, `size is 8` `--size is 8`.
 * What the message quotes stays, except for the value of an option, which the command takes without quotes.
 */
export function inFlags(message: string, options: Options): string {
  const flags = new Map(
    Object.entries(options).flatMap(([name, option]) => {
      const long = longFlag(option);
      return long ? [[name, { long, isSwitch: isSwitch(option) }] as const] : [];
    }),
  );
  const names = [...flags.keys()].join('|');
  if (!names) return message;
  const words = new RegExp(
    [
      // engine: 'tfjs', engine is 'tfj', or engine 'tfjs'
      `\\b(?<named>${names})(?:: | is ) ?'(?<value>[^']*)'`,
      `(?<=\\b(?:or|accepted:) )(?<offered>${names}) '(?<choice>[^']*)'`,
      // What is quoted otherwise is no word of the library.
      `(?<!\\w)'[^']*'`,
      // relaxedSimd is true, relaxedSimd: false
      `\\b(?<given>${names})(?:: | is )(?<truth>true|false)\\b`,
      // size is 8, threads has no effect
      `(?<=^|[;:.,] |\\b(?:and|or|where) )(?<subject>${names})(?= (?:is|has|needs)\\b)`,
      `\\b(?<word>${names})\\b`,
    ].join('|'),
    'g',
  );
  return message.replace(words, (found: string, ...rest) => {
    const { named, value, offered, choice, given, truth, subject, word } = rest.at(-1) as Partial<
      Record<string, string>
    >;
    const name = named ?? offered ?? given ?? subject ?? word;
    const flag = name === undefined ? undefined : flags.get(name);
    if (flag === undefined) return found;
    const { long } = flag;
    if (offered !== undefined) return `${long} ${choice}`;
    if (named !== undefined) return found.includes(' is ') ? `${long} is '${value}'` : `${long} ${value}`;
    if (given !== undefined && flag.isSwitch) {
      if (found.includes(' is ')) return `${long} is ${truth === 'true' ? 'given' : 'left out'}`;
      return truth === 'true' ? long : `no ${long}`;
    }
    // A single lower-case word is English as well; one with capitals is only ever a name.
    return subject !== undefined || /[A-Z]/.test(found) ? long : found;
  });
}
