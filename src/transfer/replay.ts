import { version } from '../../package.json';
import { engineNames } from '../engines/list';
import type { ErrorCode } from '../error-codes';
import { InvalidArgumentError, StyleTransferError, WeightsError } from '../errors';
import type { Image } from '../image/image';
import { adam, lbfgs, type Method, pyramidPreconditioner } from '../optim';
import { showText, showValue } from '../options/show';
import { any, flag, number, type Option, oneOf, optionTable, type Table } from '../options/table';
import { requireName } from '../options/validate';
import { type StyleTransferOptions, startNames, styleTransferOptions } from './options';
import {
  type GeneratorRecord,
  type ImageRecord,
  type NetworkRecord,
  type RecordedOptions,
  type RegionRecord,
  recordFormat,
  recordFormatVersion,
  type SettingsRecord,
  type StageRecord,
  type StyleRecord,
} from './settings-record';

/**
 * Checks a record that comes from outside: every field and option, by tables. Nothing of it is used before.
 *
 * @throws InvalidArgumentError `MALFORMED_SETTINGS`, or `UNSUPPORTED_SETTINGS` for another version of the format
 */
export function requireRecord(value: unknown): SettingsRecord {
  const { format, formatVersion, library } = fieldsOf(value);
  const writer = typeof library === 'string' ? `tfjs-style-transfer ${showText(library, 20)}` : 'a program';
  if (format !== recordFormat) {
    const accepted = 'a record as result.settings is';
    const found = `${showValue(value)}, which is no record of a run`;
    throw refusal('MALFORMED_SETTINGS', `settings is ${found}; accepted: ${accepted}.`, accepted);
  }
  if (formatVersion !== recordFormatVersion) {
    const accepted = `format version ${recordFormatVersion}`;
    const found = `format version ${showValue(formatVersion)}, written by ${writer}`;
    const message = `settings have ${found}; this is ${version}, which accepts ${accepted}.`;
    throw refusal('UNSUPPORTED_SETTINGS', message, accepted);
  }
  try {
    recordOption.require('settings', value);
    return value as SettingsRecord;
  } catch (cause) {
    if (!(cause instanceof StyleTransferError)) throw cause;
    const message = `settings, written by ${writer}, cannot be used (by ${version}): ${cause.message}`;
    throw refusal('MALFORMED_SETTINGS', message, cause.accepted, cause);
  }
}

/** Own fields of a value, and none of its prototype. */
function fieldsOf(value: unknown): Readonly<Partial<Record<string, unknown>>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function refusal(
  code: ErrorCode,
  message: string,
  accepted: StyleTransferError['accepted'],
  cause?: unknown,
): InvalidArgumentError {
  return new InvalidArgumentError(code, message, { option: 'settings', accepted, cause });
}

/** A value that is a record of a table's fields, all of them there but for `optional`. */
function nested<T extends object>(
  caller: string,
  fields: Table<T>,
  optional: readonly (keyof T)[] = [],
): Option<T> {
  const table = optionTable<T>()(caller, fields);
  const needed = Object.keys(fields).filter((name) => !(optional as readonly string[]).includes(name));
  return {
    accepts: `{ ${needed.join(', ')} }`,
    require(name, value) {
      table.read(value as T, name);
      const missing = needed.find((field) => (value as Record<string, unknown>)[field] === undefined);
      if (missing !== undefined)
        throw new InvalidArgumentError('MISSING', `${name} has no ${missing}.`, { option: name });
    },
  };
}

/** A list of at most `longest` values. */
const list = <T>(item: Option<T>, longest: number): Option<readonly T[]> => ({
  accepts: `at most ${longest} values`,
  require(name, value) {
    const accepted = `an array of at most ${longest} values`;
    if (!Array.isArray(value) || value.length > longest)
      throw new InvalidArgumentError('WRONG_TYPE', `${name} is ${showValue(value)}; accepted: ${accepted}.`, {
        option: name,
        value,
        accepted,
      });
    for (const [i, one] of value.entries()) item.require(`${name}[${i}]`, one);
  },
});

const text = any<string>(
  'a text of at most 1000 characters',
  (value) => typeof value === 'string' && value.length <= 1000,
);
const sha256 = any<string>(
  '64 hexadecimal digits',
  (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
);
const boolean = flag({});
const count = number({ min: 1, integer: true });
const stage = nested<StageRecord>('a stage', {
  width: count,
  height: count,
  iterations: count,
  tiles: count,
  pairs: number({ min: 0, integer: true }),
});
const style = nested<StyleRecord>(
  'a style',
  {
    sha256,
    of: oneOf(['file', 'pixels', 'targets'], {}),
    weight: number({ min: 0 }),
    width: count,
    height: count,
  },
  ['width', 'height'],
);
const image = nested<ImageRecord>('an image', {
  sha256,
  of: oneOf(['file', 'pixels'], {}),
  width: count,
  height: count,
});

const generator = nested<GeneratorRecord>('a generator', { sha256, of: oneOf(['generator'], {}) });
const start: Option<ImageRecord | GeneratorRecord> = {
  accepts: 'the record of an image or of a generator',
  require: (name, value) => (fieldsOf(value).of === 'generator' ? generator : image).require(name, value),
};

const region = nested<RegionRecord>(
  'a region',
  {
    content: image,
    style: image,
    styles: list(style, 10_000),
    weight: number({ min: 0 }),
    contentWeight: number({ min: 0 }),
  },
  ['style'],
);

const {
  extractor: _,
  regions: _______,
  loss: __,
  signal: ___,
  onProgress: ____,
  settings: _____,
  threads: ______,
  ...rows
} = styleTransferOptions.options;

const options: Table<RecordedOptions> = {
  ...rows,
  init: oneOf(startNames, {}),
  weights: oneOf(['embedded'], {}),
  engine: oneOf(engineNames, {}),
  optimizer: { accepts: 'a recorded method', require: (_name, value) => void methodOf(value) },
};

const recordedOptions = optionTable<RecordedOptions>()('settings', options);

const recordOption = nested<SettingsRecord>(
  'settings',
  {
    format: oneOf([recordFormat], {}),
    formatVersion: number({ min: 1 }) as Option<1>,
    library: text,
    tfjs: text,
    decoder: text,
    engine: text,
    backend: text,
    threads: count,
    network: nested<NetworkRecord>('network', { name: text, embedded: boolean, sha256 }, ['sha256']),
    content: image,
    styles: list(style, 10_000),
    init: start,
    regions: list(region, 1000),
    stages: list(stage, 1000),
    // Without a path: messages name options as their users do.
    options: { accepts: 'options', require: (_name, value) => void recordedOptions.read(value as object) },
    unrecorded: list(oneOf(Object.keys(styleTransferOptions.options), {}), 100),
  },
  ['decoder', 'threads', 'init', 'regions'],
);

/** The method of a record. @throws InvalidArgumentError if its name or an option is not accepted */
export function methodOf(value: unknown): Method<Image> {
  const { name, preconditioner, ...given } = fieldsOf(value);
  requireName('optimizer.name', name, ['lbfgs', 'adam'] as const);
  if (name === 'adam') return adam(given);
  const { kind, ...pyramid } = fieldsOf(preconditioner);
  if (preconditioner !== undefined) requireName('optimizer.preconditioner.kind', kind, ['pyramid'] as const);
  return lbfgs({ ...given, ...(preconditioner ? { preconditioner: pyramidPreconditioner(pyramid) } : {}) });
}

type Options<Input> = StyleTransferOptions<Input>;
type Name = keyof Options<never>;

/** Recorded options that a newly given one replaces with it: they belong to its old value. */
const followers: Readonly<Partial<Record<Name, readonly Name[]>>> = {
  preset: ['alpha', 'beta', 'layerWeights', 'iterations', 'scales', 'padding', 'optimizer', 'average'],
  balance: ['alpha', 'beta'],
  loss: ['preset', 'alpha', 'beta', 'layerWeights'],
  extractor: ['weights', 'padding', 'engine', 'relaxedSimd'],
  engine: ['relaxedSimd'],
  size: ['styleSize', 'scales'],
  iterations: ['scales'],
};

/** The arguments of `styleTransfer` after the two images. */
export type Arguments<Input> = readonly [
  alphaOrOptions?: number | Options<Input> | undefined,
  beta?: number | undefined,
  options?: Options<Input> | undefined,
];

/** Options that may be given in place of one that was not recorded. */
const substitutes: Readonly<Partial<Record<string, readonly Name[]>>> = {
  loss: ['preset'],
  extractor: ['weights', 'engine'],
};

/**
 * The arguments of a run that repeats a recorded one: those given, and of the record what they leave out.
 *
 * @param options that of the arguments which holds `settings`
 * @throws InvalidArgumentError if the record is not accepted, or `NOT_REPLAYABLE` if it lacks what is not given
 */
export function replayArguments<Input>(
  [first, beta, last]: Arguments<Input>,
  options: Options<Input>,
): Arguments<Input> {
  const record = requireRecord(options.settings);
  if (first === options) return [replayOptions(record, options)];
  const weights = { alpha: first as number, beta };
  const { alpha: _, beta: __, ...rest } = replayOptions<Input>(record, { ...last, ...weights });
  return [first, beta, rest];
}

/**
 * The options of a run that repeats a recorded one.
 *
 * @param given the options of the new run, which go before those of the record
 * @throws InvalidArgumentError `NOT_REPLAYABLE` if the record lacks an option that is not given
 */
function replayOptions<Input>(
  { options, unrecorded }: SettingsRecord,
  withUndefined: Options<Input>,
): Options<Input> {
  const given = Object.fromEntries(
    Object.entries(withUndefined).filter(([, value]) => value !== undefined),
  ) as Options<Input>;
  const isGiven = (name: string) => Object.hasOwn(given, name);
  const lacking = unrecorded.find((name) => ![name, ...(substitutes[name] ?? [])].some(isGiven));
  if (lacking !== undefined) {
    const accepted = [lacking, ...(substitutes[lacking] ?? [])].join(' or ');
    const what = lacking === 'init' ? 'an image or a generator' : 'an object or a function';
    const message = `settings do not hold ${lacking}, which was ${what}; give ${accepted} again.`;
    throw refusal('NOT_REPLAYABLE', message, accepted);
  }
  const replaced = Object.keys(given).flatMap((name) => [name, ...(followers[name as Name] ?? [])]);
  const { optimizer, ...kept } = Object.fromEntries(
    Object.entries(options).filter(([name]) => !replaced.includes(name)),
  ) as RecordedOptions;
  return { ...(kept as Options<Input>), ...(optimizer && { optimizer: methodOf(optimizer) }), ...given };
}

/**
 * Compares a run with the recorded one that it repeats.
 *
 * @param now the record of the new run
 * @param settings the options of the new run
 * @returns a message with each reason for another picture; undefined if it will be the same
 * @throws WeightsError `NOT_REPLAYABLE` if other weights were found and none given
 */
export function differences(
  before: SettingsRecord,
  now: SettingsRecord,
  settings: Pick<Options<never>, 'weights' | 'extractor'>,
): string | undefined {
  requireWeights(before, now, settings);
  const versions = (['library', 'tfjs', 'decoder', 'backend', 'engine'] as const).filter(
    (name) => before[name] !== now[name],
  );
  const names = new Set([...Object.keys(before.options), ...Object.keys(now.options)]) as Set<
    keyof RecordedOptions
  >;
  const changed = [...names].filter(
    (name) => JSON.stringify(before.options[name]) !== JSON.stringify(now.options[name]),
  );
  const found = [
    ...images(before, now),
    ...(JSON.stringify(before.regions) === JSON.stringify(now.regions) ? [] : ['regions are others']),
    ...(before.network.sha256 === now.network.sha256 ? [] : ['weights are others']),
    ...changed.map((name) => `${name} is ${shown(now.options[name])}, not ${shown(before.options[name])}`),
    ...(samePlans(before.stages, now.stages) ? [] : ['memory allows another number of tiles or pairs']),
    ...versions.map((name) => `${name} is ${shown(now[name])}, not ${shown(before[name])}`),
    ...before.unrecorded
      .filter((name) => name !== 'init' && name !== 'regions')
      .map((name) => `${name} cannot be compared`),
  ];
  return found.length === 0
    ? undefined
    : `The picture may differ from the one that settings are of: ${found.join('; ')}.`;
}

/** Whether stages of the same sizes have the same tiles and pairs. */
const samePlans = (before: readonly StageRecord[], now: readonly StageRecord[]) =>
  now.every((stage, i) => {
    const { width, height, tiles, pairs } = before[i] ?? stage;
    const sameSize = width === stage.width && height === stage.height;
    return !sameSize || (tiles === stage.tiles && pairs === stage.pairs);
  });

/** Throws if other weights than the recorded ones were found, without having been asked for. */
function requireWeights(
  before: SettingsRecord,
  now: SettingsRecord,
  { weights, extractor }: Pick<Options<never>, 'weights' | 'extractor'>,
): void {
  const [recorded, found] = [before.network.sha256, now.network.sha256];
  const given = extractor !== undefined || (weights !== undefined && weights !== before.options.weights);
  if (recorded === found || given) return;
  const accepted = `weights of SHA-256 ${recorded}, or weights given beside settings`;
  throw new WeightsError(
    'NOT_REPLAYABLE',
    `settings are of weights with SHA-256 ${recorded}, and those found here have ${found}; accepted: ${accepted}.`,
    { option: 'weights', value: found, accepted },
  );
}

/** The input images that are others than the recorded ones. */
function images(before: SettingsRecord, now: SettingsRecord): readonly string[] {
  const many = now.styles.length > 1;
  type Found = StyleRecord | ImageRecord | GeneratorRecord | undefined;
  const pairs: readonly (readonly [string, Found, Found])[] = [
    ['content', before.content, now.content],
    ...now.styles.map((style, i) => [many ? `style ${i + 1}` : 'style', before.styles[i], style] as const),
    ['init', before.init, now.init],
  ];
  const others = pairs.flatMap(([name, recorded, image]) => {
    if (recorded === undefined || image === undefined) return [];
    if (recorded.of !== image.of)
      return [`${name} cannot be compared, for the record has the hash of ${kinds[recorded.of]}`];
    if (recorded.sha256 !== image.sha256)
      return [`${name} is another ${image.of === 'generator' ? 'generator' : 'image'}`];
    const [was, is] = [recorded, image].map((one) => ('weight' in one ? one.weight : 1));
    return was === is ? [] : [`the weight of ${name} is ${is}, not ${was}`];
  });
  const [were, are] = [before.styles.length, now.styles.length];
  return were === are ? others : [...others, `there are ${are} styles, not ${were}`];
}

const kinds = {
  file: 'a file',
  pixels: 'pixels',
  targets: 'a style file',
  generator: 'a generator',
} as const;

function shown(value: unknown): string {
  if (typeof value === 'object') return showText(JSON.stringify(value));
  return value === undefined ? 'the default' : showValue(value);
}
