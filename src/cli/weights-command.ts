import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { defaultLastLayer } from '../engines/load-vgg19';
import { InvalidArgumentError, WeightsError } from '../errors';
import { convertWeights, type WeightFormat, weightFormats } from '../features/vgg19/convert-weights';
import { convolutionsUpTo, type Vgg19Layer, vgg19Layers } from '../features/vgg19/layers';
import { vgg19CacheFolder, vgg19Pins } from '../features/vgg19/vgg19-weights';
import { diskCache } from '../node/disk-cache';
import { nodeWeights } from '../node/node-weights';
import { replaceFile } from '../node/replace-file';
import { showText } from '../options/show';
import { flag, oneOf, optionTable } from '../options/table';
import { CheckedCache, isFileKey } from '../storage/checked-cache';
import type { WeightsProgress } from '../storage/progress';
import { displayFor } from './display';
import { addFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { deliverResult } from './result';
import type { Terminal } from './terminal';

/** Flags of the commands under `tfjs-style-transfer weights`. */
interface WeightsFlags {
  readonly to?: Vgg19Layer | undefined;
  readonly format?: WeightFormat | undefined;
  readonly all?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const table = optionTable<WeightsFlags>()('weights', {
  to: oneOf(vgg19Layers, {
    default: defaultLastLayer,
    flag: '--to <layer>',
    help: 'the last layer that is needed',
  }),
  format: oneOf(weightFormats, {
    default: weightFormats[0],
    flag: '--format <name>',
    help: `how numbers are stored: ${weightFormats.join(' or ')}`,
  }),
  all: flag({ default: false, flag: '--all', help: 'remove all' }),
  json: flag({ default: false, flag: '--json', help: 'print JSON' }),
  quiet: flag({ default: false, flag: '-q, --quiet', help: 'print nothing but errors' }),
});

const { to, format, all, json, quiet } = table.options;

/** Every option of the commands. */
export const weightsOptions = table.options;

const read = (values: Readonly<Record<string, unknown>>) =>
  table.read(only(weightsOptions, values) as WeightsFlags);

/** `tfjs-style-transfer weights`: lists, fetches, checks, deletes and converts weights. */
export function weightsCommand(terminal: Terminal): Command {
  const print = (text: string) => deliverResult(terminal, `${text}\n`);
  const command = new Command('weights').description(
    'list, fetch, verify, locate, delete and convert weights of VGG-19',
  );
  /** Adds a subcommand with flags. */
  const add = (name: string, options: Options, description: string) =>
    addFlags(command.command(name).description(description), options);

  add('list', { json }, 'the files in the cache').action(async (values: Values) => {
    const files = await cachedFiles();
    const folder = diskCache().name;
    if (read(values).json) return print(JSON.stringify({ folder, files }, null, 2));
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const lines = files.map(({ key, bytes }) => `${String(bytes).padStart(12)}  ${key}`);
    await print([...lines, `${files.length} files, ${(total / 1e6).toFixed(1)} MB in ${folder}`].join('\n'));
  });

  add('fetch', { to, quiet }, 'fetch weights into the cache; what is there already is not fetched again')
    .argument('[where]', 'vgg19, or the URL of a model.json, its folder or a .safetensors file', 'vgg19')
    .action(async (where: string, values: Values) => {
      const flags = read(values);
      const layers = convolutionsUpTo(flags.to);
      const name = await attended(terminal, flags, async (reading) => {
        const source = await nodeWeights(where, { layers, signal: reading.signal });
        await source.read(layers, reading);
        return source.name;
      });
      if (!flags.quiet) await print(`${name}, conv1_1 to ${layers.at(-1)}: in ${diskCache().name}`);
    });

  add(
    'verify',
    { json },
    'check every file in the cache against its SHA-256 and remove what is damaged',
  ).action(async (values: Values) => {
    const checked = new CheckedCache(diskCache());
    const files = await cachedFiles();
    const damaged: string[] = [];
    for (const { key } of files) if (!(await checked.read(key, pinOf(key)))) damaged.push(key);
    if (read(values).json) await print(JSON.stringify({ checked: files.length, damaged }, null, 2));
    else
      await print(
        `${files.length} files checked, ${damaged.length} damaged${damaged.length > 0 ? ' and removed' : ''}`,
      );
    if (damaged.length > 0)
      throw new WeightsError('CACHE_CORRUPT', `Damaged and removed: ${damaged.join(', ')}.`, {
        value: damaged,
      });
  });

  command
    .command('locate')
    .description("print the cache's folder (TFJS_STYLE_TRANSFER_CACHE names another)")
    .action(() => print(diskCache().name));

  add('delete', { all }, 'remove files from the cache')
    .argument('[key]', 'a file as `weights list` names it, or a folder of them')
    .action(async (key: string | undefined, values: Values) => {
      const flags = read(values);
      if ((key === undefined) !== flags.all)
        throw new InvalidArgumentError('MISSING_ARGUMENT', 'weights delete needs a key or --all.', {
          option: 'key',
          value: key,
          accepted: 'a key that `weights list` prints, or --all',
        });
      const cache = diskCache();
      const belongs = (name: string) =>
        flags.all || [key, `${key}.sha256`].includes(name) || name.startsWith(`${key}/`);
      const files = (await cache.list()).filter((file) => belongs(file.key));
      if (files.length === 0 && !flags.all)
        throw new WeightsError('NOT_CACHED', `The cache has no ${showText(key ?? '')}.`, {
          option: 'key',
          value: key,
        });
      for (const file of files) await cache.delete(file.key);
      await print(`${files.length} files removed from ${cache.name}`);
    });

  add(
    'convert',
    { format, to, quiet },
    'store weights in half or a quarter of their size, as a folder that --weights accepts',
  )
    .argument('<where>', 'vgg19, embedded, a folder, a file or a URL')
    .argument('<folder>', 'where to write model.json and its shards')
    .action(async (where: string, folder: string, values: Values) => {
      const flags = read(values);
      const layers = convolutionsUpTo(flags.to);
      const files = await attended(terminal, flags, async (reading) =>
        convertWeights(await nodeWeights(where, { layers, signal: reading.signal }), layers, {
          format: flags.format,
          ...reading,
        }),
      );
      await mkdir(folder, { recursive: true });
      for (const { name, bytes } of files) await replaceFile(join(folder, name), bytes);
      const megabytes = (files.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6).toFixed(1);
      if (!flags.quiet)
        await print(`${resolve(folder)}: ${layers.length} convolutions, ${flags.format}, ${megabytes} MB`);
    });

  return command;
}

type Values = Readonly<Record<string, unknown>>;

/** Runs `work`, which reads weights, with progress on stderr. Ctrl-C aborts it; what has been fetched stays cached. */
async function attended<T>(
  terminal: Terminal,
  flags: { readonly quiet: boolean },
  work: (reading: {
    signal: AbortSignal;
    onProgress: (progress: WeightsProgress) => void;
    onWarning: (warning: { message: string }) => void;
  }) => Promise<T>,
): Promise<T> {
  const display = displayFor(terminal, flags);
  try {
    return await interruptible(terminal, ({ signal }) =>
      work({
        signal,
        onProgress: (progress) => display.show(progress),
        onWarning: ({ message }) => display.line(message),
      }),
    );
  } finally {
    display.end();
  }
}

const cachedFiles = async () => (await diskCache().list()).filter(({ key }) => isFileKey(key));

/** Size and SHA-256 of a file of the default source; undefined for other files. */
const pinOf = (key: string) =>
  key.startsWith(`${vgg19CacheFolder}/`) ? vgg19Pins.get(key.slice(vgg19CacheFolder.length + 1)) : undefined;
