import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { defaultLastLayer } from '../engines/load-vgg19';
import { InvalidArgumentError, WeightsError } from '../errors';
import { convertWeights, type WeightFormat, weightFormats } from '../features/vgg19/convert-weights';
import { convolutionsUpTo, type Vgg19Layer } from '../features/vgg19/layers';
import type { WeightsProgress } from '../features/vgg19/source';
import { vgg19CacheFolder, vgg19Pins } from '../features/vgg19/vgg19-weights';
import { diskCache } from '../node/disk-cache';
import { nodeWeights } from '../node/node-weights';
import { replaceFile } from '../node/replace-file';
import { CheckedCache, isFileKey } from '../storage/checked-cache';
import { Interrupted } from './exit-codes';
import { progressBar } from './progress-bar';
import { progressLines } from './progress-lines';
import type { Terminal } from './terminal';

/** `tfjs-style-transfer weights`: what is in the cache of weights, and getting more into it. */
export function weightsCommand(terminal: Terminal): Command {
  const print = (text: string) => void terminal.stdout.write(`${text}\n`);
  const command = new Command('weights').description(
    'list, fetch, verify, locate, delete and convert weights of VGG-19',
  );

  command
    .command('list')
    .description('the files in the cache')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      const files = await cachedFiles();
      if (json) return print(JSON.stringify({ folder: diskCache().name, files }, null, 2));
      for (const { key, bytes } of files) print(`${String(bytes).padStart(12)}  ${key}`);
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      print(`${files.length} files, ${(total / 1e6).toFixed(1)} MB in ${diskCache().name}`);
    });

  command
    .command('fetch')
    .description('fetch weights into the cache; what is there already is not fetched again')
    .argument('[where]', 'vgg19, or the URL of a model.json, its folder or a .safetensors file', 'vgg19')
    .option('--to <layer>', 'the last layer that is needed', defaultLastLayer)
    .action(async (where: string, { to }: { to: Vgg19Layer }) => {
      const layers = convolutionsUpTo(to);
      const name = await attended(terminal, async (reading) => {
        const source = await nodeWeights(where, { layers });
        await source.read(layers, reading);
        return source.name;
      });
      print(`${name}, conv1_1 to ${layers.at(-1)}: in ${diskCache().name}`);
    });

  command
    .command('verify')
    .description('check every file in the cache against its SHA-256 and remove what is damaged')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      const checked = new CheckedCache(diskCache());
      const files = await cachedFiles();
      const damaged: string[] = [];
      for (const { key } of files) if (!(await checked.read(key, pinOf(key)))) damaged.push(key);
      if (json) print(JSON.stringify({ checked: files.length, damaged }, null, 2));
      else
        print(
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

  command
    .command('delete')
    .description('remove files from the cache')
    .argument('[key]', 'a file as `weights list` names it, or a folder of them')
    .option('--all', 'remove all')
    .action(async (key: string | undefined, { all }: { all?: true }) => {
      if ((key === undefined) === (all === undefined))
        throw new InvalidArgumentError('MISSING_ARGUMENT', 'weights delete needs a key or --all.', {
          option: 'key',
          value: key,
          accepted: 'a key that `weights list` prints, or --all',
        });
      const cache = diskCache();
      const belongs = (name: string) =>
        all || [key, `${key}.sha256`, `${key}.partial`].includes(name) || name.startsWith(`${key}/`);
      const files = (await cache.list()).filter((file) => belongs(file.key));
      if (files.length === 0 && !all)
        throw new WeightsError('NOT_CACHED', `The cache has no ${key}.`, { option: 'key', value: key });
      for (const file of files) await cache.delete(file.key);
      print(`${files.length} files removed from ${cache.name}`);
    });

  command
    .command('convert')
    .description('store weights in half or a quarter of their size, as a folder that --weights accepts')
    .argument('<where>', 'vgg19, embedded, a folder, a file or a URL')
    .argument('<folder>', 'where to write model.json and its shards')
    .option('--format <name>', weightFormats.join(' or '), weightFormats[0])
    .option('--to <layer>', 'the last layer that is needed', defaultLastLayer)
    .action(
      async (where: string, folder: string, { format, to }: { format: WeightFormat; to: Vgg19Layer }) => {
        const layers = convolutionsUpTo(to);
        const files = await attended(terminal, async (reading) =>
          convertWeights(await nodeWeights(where, { layers }), layers, { format, ...reading }),
        );
        await mkdir(folder, { recursive: true });
        for (const { name, bytes } of files) await replaceFile(join(folder, name), bytes);
        const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
        print(`${resolve(folder)}: ${layers.length} convolutions, ${format}, ${(total / 1e6).toFixed(1)} MB`);
      },
    );

  return command;
}

/** Does what reads weights, with progress on stderr, until Ctrl-C; what was fetched by then is kept. */
async function attended<T>(
  terminal: Terminal,
  work: (reading: {
    signal: AbortSignal;
    onProgress: (progress: WeightsProgress) => void;
    onWarning: (warning: { message: string }) => void;
  }) => Promise<T>,
): Promise<T> {
  const { stderr, env } = terminal;
  const display = stderr.isTTY ? progressBar(stderr, env) : progressLines(stderr);
  const controller = new AbortController();
  const release = terminal.onStop((name) => controller.abort(new Interrupted(name)));
  try {
    return await work({
      signal: controller.signal,
      onProgress: (progress) => display.show(progress),
      onWarning: ({ message }) => display.line(message),
    });
  } finally {
    display.end();
    release();
  }
}

const cachedFiles = async () => (await diskCache().list()).filter(({ key }) => isFileKey(key));

/** What is known of a cached file of the default source. */
function pinOf(key: string) {
  const file = key.slice(vgg19CacheFolder.length + 1);
  return key.startsWith(`${vgg19CacheFolder}/`) && Object.hasOwn(vgg19Pins, file)
    ? vgg19Pins[file]
    : undefined;
}
