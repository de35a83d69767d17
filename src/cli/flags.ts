import { type Command, Option as Flag } from 'commander';
import type { Option } from '../options/table';
import { flagValues } from './flag-values';

/** Options of one or several tables, by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/**
 * Adds the flags of an option table to a command. Values are neither checked nor defaulted here: that is done by
 * reading the table, so that messages and defaults are those of the library.
 *
 * @param required names of options that have to be given
 */
export function addFlags(command: Command, options: Options, required: readonly string[] = []): Command {
  for (const [name, option] of Object.entries(options)) {
    if (option.flag === undefined) continue;
    const flag = new Flag(option.flag, helpOf(option));
    if (option.kind) flag.argParser(flagValues[option.kind]);
    // A flag that may be given several times is named for one of its values.
    if (option.kind === 'regions') flag.attributeName = () => name;
    if (required.includes(name)) flag.makeOptionMandatory();
    command.addOption(flag);
  }
  return command;
}

/** The values of those flags that belong to a table; the argument of {@link OptionTable.read}. */
export function only<Table extends Options>(
  options: Table,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(options, name)));
}

/** A flag's line of help: `longer side of the result (a whole number from 16 to 16384; default: ...)`. */
function helpOf(option: Option<unknown>): string {
  const { text, accepts, standard } = about(option);
  const notes = [
    ...(option.kind === 'number' && accepts ? [accepts] : []),
    ...(standard ? [`default: ${standard}`] : []),
  ];
  return notes.length > 0 ? `${text} (${notes.join('; ')})` : text;
}

/** Help text, accepted values and default (`standard`) of a flag, each empty if there is none. */
export function about(option: Option<unknown>): {
  readonly text: string;
  readonly accepts: string;
  readonly standard: string;
} {
  // The help of an option without a fixed default ends with '(default: the preset's)'.
  const [, text = '', told] = /^(.*?)(?: \(default: (.*)\))?$/s.exec(option.help ?? '') ?? [];
  const fixed = option.default === undefined || option.default === false ? '' : String(option.default);
  return { text, accepts: acceptedValues(option), standard: told ?? fixed };
}

/** A range or a list of names. For options of other kinds `accepts` describes values of programs, such as tensors. */
function acceptedValues({ kind, accepts }: Option<unknown>): string {
  if (typeof accepts === 'string') return kind === 'number' ? accepts : '';
  return accepts.join(', ');
}

/** `--size` of `--size <pixels>`, `--output` of `-o, --output <file>`. */
export function longFlag(option: Option<unknown> | undefined): string | undefined {
  return /--[\w-]+/.exec(option?.flag ?? '')?.[0];
}

const isSwitch = ({ flag = '' }: Option<unknown>) => !/[<[]/.test(flag);

/**
 * Replaces the names of options in a message of the library by flags: `size is 8` becomes `--size is 8`,
 * `relaxedSimd: false` becomes `no --relaxed-simd`. Quoted text, such as the name of a file, stays as it is.
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
      // Other quoted text is matched so that nothing in it is replaced.
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
    // Names without capitals are English words too: 'size', 'weights'.
    return subject !== undefined || /[A-Z]/.test(found) ? long : found;
  });
}
