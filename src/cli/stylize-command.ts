import { stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { Command } from 'commander';
import type { OpenGenerator } from '../engines/open-generator';
import { predictStyle } from '../engines/predict-style';
import { ComputationError, InvalidArgumentError, StyleTransferError } from '../errors';
import type { Generator } from '../features/generator';
import { stylizeOptions } from '../generators/stylize';
import { loadGenerator, openGenerator, stylize } from '../node/generators';
import { platform } from '../node/platform';
import { type Backend, startBackend } from '../node/start-backend';
import { styleExtension } from '../node/style-files';
import { type ImageFormat, imageExtensions } from '../node/write-image';
import { showValue } from '../options/show';
import { any, type Option, optionTable } from '../options/table';
import { owning } from '../owning';
import { expandPlaces, type Places } from './batch/expand-places';
import { type Destination, destinationOf } from './destination';
import { displayFor } from './display';
import { exitCodesHelp } from './exit-codes';
import { addFlags, inFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { duration } from './progress';
import { jsonLine } from './progress-json';
import { dash, fileOrStdin } from './read-stdin';
import { deliverResult } from './result';
import { commandOptions } from './style-options';
import type { Terminal } from './terminal';

/** Flags of the command beside those of `stylize`. */
interface StylizeFlags {
  readonly output?: string | undefined;
  readonly generator?: string | undefined;
  readonly format?: ImageFormat | undefined;
  readonly backend?: Backend | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const { format, backend, json, quiet } = commandOptions.options;

const table = optionTable<StylizeFlags>()('stylize', {
  output: any<string, { default: string; flag: string; help: string }>(
    `a file with one of the extensions ${imageExtensions.join(', ')}, a folder, or -`,
    (value) => typeof value === 'string' && value !== '',
    {
      default: 'out.png',
      flag: '-o, --output <file>',
      help: 'where to write it: a file, or - for stdout; of several photographs a folder, with their names',
    },
  ),
  generator: any<string, { flag: string; help: string }>(
    'a generator file',
    (value) => typeof value === 'string' && value !== '',
    { flag: '-g, --generator <file>', help: 'the generator: a .safetensors file or its URL' },
  ),
  format,
  backend,
  json,
  quiet,
});

const { output, generator } = table.options;
const { styleWeights, ...painting } = stylizeOptions.options;

/** The weights of a generator's styles by name. */
const weightsByName: Option<unknown> = {
  ...styleWeights,
  kind: 'layerWeights',
  flag: '--style-weights <name=weight,...>',
  help: 'weights of the styles of a generator of several',
};

/** Every option of the command, in the order of its help. */
export const stylizeCommandOptions: Options = {
  generator,
  output,
  format,
  ...painting,
  styleWeights: weightsByName,
  backend,
  json,
  quiet,
};

/** `tfjs-style-transfer stylize`: paints photographs by a generator. */
export function stylizeCommand(terminal: Terminal): Command {
  const command = new Command('stylize')
    .description('paint photographs by a trained network, at once')
    .argument(
      '<photo...>',
      "photographs: files, URLs, patterns in quotes such as 'photos/*.jpg', or - for stdin",
    );
  return addFlags(command, stylizeCommandOptions, ['generator'])
    .addHelpText('after', `\n${exitCodesHelp}\n`)
    .action((photos: readonly string[], values: Readonly<Record<string, unknown>>) =>
      run(photos, values, terminal),
    );
}

async function run(
  photos: readonly string[],
  values: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const flags = table.read(only(table.options, values) as StylizeFlags);
  const { engine, threads, relaxedSimd, style, ...options } = stylizeOptions.read(
    only(stylizeOptions.options, values),
  );
  const { places, skipped } = await photographs(photos);
  const pictures = await destinationsOf(places, flags, terminal);
  for (const { destination } of pictures) await destination.prepare();
  const display = displayFor(terminal, flags);
  if (skipped.length > 0) display.line(`left out, because they are no pictures: ${skipped.join(', ')}`);
  const failures: Failure[] = [];
  try {
    await interruptible(terminal, async ({ signal }) => {
      const file = await loadGenerator(String(flags.generator), { signal });
      const computing = await startBackend(flags.backend, engine, threads);
      const onWarning = ({ message }: { readonly message: string }) =>
        display.line(inFlags(message, stylizeCommandOptions));
      const settings = { engine, threads: computing.threads, relaxedSimd, signal, onWarning };
      const open = await openGenerator(file, settings);
      try {
        const chosen = await styleOnce(file, style as string | undefined, signal);
        for (const [i, picture] of pictures.entries()) {
          if (pictures.length > 1) display.line(`${i + 1} of ${pictures.length}: ${picture.photo}`);
          try {
            await paintOne(picture, open, { ...options, style: chosen, signal }, flags, terminal);
          } catch (error) {
            if (pictures.length === 1 || signal.aborted || !isOfPicture(error)) throw error;
            failures.push({ picture, error });
            display.line(`failed: ${inFlags(error.message, stylizeCommandOptions)}`);
            if (flags.json) await deliverResult(terminal, jsonLine(failureRecord(picture, error)));
          }
        }
      } finally {
        open.dispose();
      }
    });
  } finally {
    display.end();
  }
  if (failures.length > 0)
    throw new ComputationError(
      'PICTURES_FAILED',
      `${failures.length} of ${pictures.length} pictures failed: ${failures.map(({ picture }) => showValue(picture.photo)).join(', ')}.`,
      { value: failures.length },
    );
}

/** A photograph that could not be painted. */
interface Failure {
  readonly picture: Picture;
  readonly error: StyleTransferError;
}

/** Whether an error is one of a photograph, so that others may do; wrong options are wrong for all. */
const isOfPicture = (error: unknown): error is StyleTransferError =>
  error instanceof StyleTransferError && !(error instanceof InvalidArgumentError);

const failureRecord = ({ photo, path }: Picture, { name, code, message }: StyleTransferError) => ({
  photo,
  output: path,
  error: { name, code, message },
});

/** The photographs that arguments name, and what patterns found beside them. */
async function photographs(words: readonly string[]): Promise<Places> {
  const all: string[] = [];
  const skipped: string[] = [];
  for (const word of words) {
    const found = word === dash ? { places: [dash], skipped: [] } : await expandPlaces('photo', [word]);
    // Of a pattern: what is named by itself is read, and refused by name.
    const isGenerator = (place: string) => place !== word && place.toLowerCase().endsWith(styleExtension);
    all.push(...found.places.filter((place) => !isGenerator(place)));
    skipped.push(...found.skipped, ...found.places.filter(isGenerator));
  }
  return { places: [...new Set(all)], skipped: [...new Set(skipped)] };
}

/** The style picture as the vector that all photographs are painted by, where the generator has a predictor. */
async function styleOnce(
  generator: Generator,
  style: string | undefined,
  signal: AbortSignal,
): Promise<string | Float32Array | undefined> {
  if (style === undefined || !generator.predictor) return style;
  return owning(async ({ temporary }) =>
    predictStyle(generator, temporary(await platform.decode('style', style, undefined, signal)), { signal }),
  );
}

/** A photograph and where its picture goes. */
interface Picture {
  readonly photo: string;
  readonly path: string;
  readonly destination: Destination;
}

async function paintOne(
  { photo, path, destination }: Picture,
  open: OpenGenerator,
  options: Parameters<typeof stylize>[2] & { readonly signal: AbortSignal },
  flags: StylizeFlags,
  terminal: Terminal,
): Promise<void> {
  const input = await fileOrStdin('photo', photo, terminal.stdin, options.signal);
  const { image, elapsedMs, dispose } = await stylize(input, open, options);
  try {
    await destination.save(image);
    const [height, width] = image.shape;
    const toStdout = path === dash;
    if (flags.json && !toStdout)
      await deliverResult(terminal, jsonLine({ photo, output: path, width, height, elapsedMs }));
    else if (!flags.quiet && !toStdout)
      await deliverResult(terminal, `${path}: ${width}x${height}, ${duration(elapsedMs / 1000)}\n`);
  } finally {
    dispose();
  }
}

/** One file for one photograph; a file of the same name in a folder for each of several. */
async function destinationsOf(
  photos: readonly string[],
  { output: given = 'out.png', format: wanted }: StylizeFlags,
  terminal: Terminal,
): Promise<readonly Picture[]> {
  const inFolder = photos.length > 1 || (await isFolder(given));
  if (
    inFolder &&
    (given === dash || (imageExtensions as readonly string[]).includes(extname(given).toLowerCase()))
  ) {
    const accepted = 'a folder, for several photographs';
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `output is ${showValue(given)}; accepted: ${accepted}.`,
      {
        option: 'output',
        value: given,
        accepted,
      },
    );
  }
  // No photograph is replaced by the picture of another.
  const inputs = Object.fromEntries(photos.map((photo, i) => [i === 0 ? 'photo' : `photo ${i + 1}`, photo]));
  const taken = new Map<string, string>();
  return photos.map((photo) => {
    const path = inFolder ? join(given, `${nameOf(photo)}.${wanted ?? 'png'}`) : given;
    const before = taken.get(path);
    if (before !== undefined) {
      const accepted = 'photographs with names of their own';
      const message = `${showValue(before)} and ${showValue(photo)} would both be ${showValue(path)}; accepted: ${accepted}.`;
      throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, {
        option: 'photo',
        value: photo,
        accepted,
      });
    }
    taken.set(path, photo);
    return { photo, path, destination: destinationOf(path, wanted, inputs, terminal) };
  });
}

const isFolder = async (path: string): Promise<boolean> =>
  /[/\\]$/.test(path) || (await stat(path).catch(() => undefined))?.isDirectory() === true;

/** `cat` of `photos/cat.jpg` and of `https://example.org/cat.jpg?size=2`. */
const nameOf = (photo: string): string => {
  const path = /^https?:/i.test(photo) && URL.canParse(photo) ? new URL(photo).pathname : photo;
  return basename(path, extname(path)) || 'photo';
};
