import { basename, extname, isAbsolute, join, resolve } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { platform } from '../node/platform';
import { backendOf, backendOption, requireThreadsApply } from '../node/start-backend';
import { filePath } from '../node/write-file';
import { extensionOf, formatOf } from '../node/write-image';
import { showUrl, showValue } from '../options/show';
import { requireKnownOptions, requireNumber } from '../options/validate';
import { readSettings, styleTransferOptions } from '../transfer/options';
import { replayArguments } from '../transfer/replay';
import type { BatchPair, BatchSettings } from './batch-options';
import type { Job, JobSettings } from './job';
import { withId } from './job-id';
import { isRemote, isUrl, storeOf } from './stores';

/** Options of `styleTransfer` that are no settings of a job: they are none of one picture, or no JSON. */
const noSettings = ['extractor', 'loss', 'optimizer', 'threads', 'memory', 'signal', 'onProgress'];

/** Names of {@link JobSettings}. */
export const jobSettingNames = [
  ...Object.keys(styleTransferOptions.options).filter((name) => !noSettings.includes(name)),
  'backend',
];

/**
 * The jobs of a batch, checked as far as that is possible without reading a file; a pair that is given twice is one
 * job.
 *
 * @throws InvalidArgumentError if there is nothing to paint, a pair or setting is wrong, two jobs have one output, or
 *   an output would replace a picture that is read
 */
export function jobsOf(settings: BatchSettings): readonly Job[] {
  requireJobSettings('settings', settings.settings);
  const pairs = pairsOf(settings);
  const jobs = new Map<string, Job>();
  for (const [i, pair] of pairs.entries()) {
    if (settings.pairs) requirePair(`pairs[${i}]`, pair);
    const job = jobOf(settings, pair, i);
    const { backend, engine, settings: repeated } = job.settings;
    requireThreadsApply(backendOf(backend, repeated), engine ?? repeated?.options.engine, settings.threads);
    jobs.set(job.id, job);
  }
  const all = [...jobs.values()];
  requireOwnOutputs(all);
  return all;
}

function pairsOf({ contents, styles, styleWeights, pairs }: BatchSettings): readonly BatchPair[] {
  if (pairs && (contents || styles || styleWeights)) {
    const option = contents ? 'contents' : styles ? 'styles' : 'styleWeights';
    const accepted = 'pairs alone, or contents and styles';
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `${option} has no effect beside pairs; accepted: ${accepted}.`,
      { option, accepted },
    );
  }
  const found = pairs ?? everyPair({ contents, styles, styleWeights });
  if (found.length > 0) return found;
  const empty = pairs ? 'pairs' : contents?.length ? 'styles' : 'contents';
  const accepted = 'at least one content and one style, or one pair';
  throw new InvalidArgumentError(
    'EMPTY',
    `There is nothing to paint: ${empty} is empty; accepted: ${accepted}.`,
    {
      option: empty,
      accepted,
    },
  );
}

/** Each content in each style, or in all of them blended if there are weights. */
function everyPair({
  contents = [],
  styles = [],
  styleWeights,
}: Pick<BatchSettings, 'contents' | 'styles' | 'styleWeights'>): readonly BatchPair[] {
  if (styleWeights === undefined)
    return contents.flatMap((content) => styles.map((style) => ({ content, style })));
  if (styleWeights.length !== styles.length) {
    const accepted = `one for each of ${styles.length} styles`;
    throw new InvalidArgumentError(
      'WRONG_LENGTH',
      `styleWeights has ${styleWeights.length} numbers; accepted: ${accepted}.`,
      { option: 'styleWeights', value: styleWeights, accepted },
    );
  }
  return contents.map((content) => ({ content, style: styles, styleWeights }));
}

function requirePair(place: string, pair: BatchPair): void {
  const { content, style, styleWeights, output, settings } = (pair ?? {}) as Partial<BatchPair>;
  const isPlace = (value: unknown) => typeof value === 'string' && value !== '';
  const refuse = (option: string, value: unknown, accepted: string) => {
    throw new InvalidArgumentError('WRONG_TYPE', `${option} is ${showValue(value)}; accepted: ${accepted}.`, {
      option,
      value,
      accepted,
    });
  };
  if (!isPlace(content)) refuse(`${place}.content`, content, 'a path or a URL');
  const styles = Array.isArray(style) ? style : [style];
  if (styles.length === 0 || !styles.every(isPlace))
    refuse(`${place}.style`, style, 'a path or a URL, or a list of them');
  requireKnownOptions(place, pair, ['content', 'style', 'styleWeights', 'output', 'settings']);
  if (output !== undefined && !isPlace(output)) refuse(`${place}.output`, output, 'the name of a file');
  if (styleWeights !== undefined) {
    if (!Array.isArray(styleWeights) || styleWeights.length !== styles.length)
      refuse(`${place}.styleWeights`, styleWeights, 'a number for each style');
    for (const [i, weight] of styleWeights.entries())
      requireNumber(`${place}.styleWeights[${i}]`, weight, { min: 0 });
  }
  requireJobSettings(`${place}.settings`, settings);
}

/** Throws unless settings are those of a job. @param place of the settings, for messages */
function requireJobSettings(place: string, settings: JobSettings | undefined): void {
  if (settings === undefined) return;
  requireKnownOptions(place, settings, jobSettingNames);
  const { backend, ...options } = settings;
  try {
    if (backend !== undefined) backendOption.require('backend', backend);
    const [complete] =
      options.settings === undefined ? [options] : replayArguments<string>([options], options);
    readSettings<string>(platform, complete, undefined, undefined);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError) || place === 'settings') throw error;
    const { code, message, option, value, accepted } = error;
    throw new InvalidArgumentError(code, `${place}: ${message}`, { option, value, accepted, cause: error });
  }
}

function jobOf(batch: BatchSettings, pair: BatchPair, index: number): Job {
  const { output, format, name, metrics, preview } = batch;
  const { content, style, styleWeights } = pair;
  const file = pair.output ?? `${nameOf(name, pair, index)}${extensionOf(format)}`;
  const place = placeOf(output, file);
  formatOf(place, undefined);
  return withId({
    content,
    style,
    styleWeights,
    output: place,
    settings: { ...batch.settings, ...pair.settings },
    metrics,
    preview: preview === undefined ? undefined : { output: `${place}.preview.jpg`, seconds: preview },
  });
}

/** Where a file of a folder is: a full path, or the URL of a server. */
function placeOf(folder: string, file: string): string {
  storeOf('output', file);
  if (isRemote(file)) return file;
  const path = filePath(file);
  return isAbsolute(path) ? path : join(folder, path);
}

function nameOf(pattern: string, { content, style }: BatchPair, index: number): string {
  const styles = typeof style === 'string' ? [style] : style;
  const parts: Readonly<Record<string, string>> = {
    content: stemOf(content),
    style: styles.map(stemOf).join('+'),
    index: String(index + 1),
  };
  return pattern.replace(/\{(content|style|index)\}/g, (_, part: string) => parts[part]);
}

/** The name of a file without folder and extension, of characters that every file system takes. */
function stemOf(place: string): string {
  const path = isRemote(place) ? decodeURI(new URL(place).pathname) : place;
  const name = basename(path, extname(path)).replace(/[\p{Cc}\\/:*?"<>|]/gu, '_');
  return name === '' ? '_' : name;
}

/** Throws if two jobs have one output, also where capitals do not count, or an output is a picture that is read. */
function requireOwnOutputs(jobs: readonly Job[]): void {
  const inputs = new Set(jobs.flatMap(({ content, style }) => [content, style].flat().map(identityOf)));
  const outputs = new Map<string, Job>();
  for (const job of jobs) {
    const identity = identityOf(job.output).normalize('NFC').toLowerCase();
    const other = outputs.get(identity);
    const shown = isRemote(job.output) ? showUrl(job.output) : showValue(job.output);
    if (other) {
      const accepted = 'a name with {index}, pairs with an output each, or files of different names';
      throw new InvalidArgumentError(
        'CONFLICTING_OPTIONS',
        `Two pictures would be written to ${shown}: of ${showValue(other.content)} in ${showValue(other.style)}, and of ${showValue(job.content)} in ${showValue(job.style)}; accepted: ${accepted}.`,
        { option: 'name', value: job.output, accepted },
      );
    }
    outputs.set(identity, job);
    if (!inputs.has(identityOf(job.output))) continue;
    const accepted = 'another folder, or another name';
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `${shown} would be written, and is a picture that is read; accepted: ${accepted}.`,
      { option: 'output', value: job.output, accepted },
    );
  }
}

/** One text for all ways to write a place. */
function identityOf(place: string): string {
  if (place.startsWith('file:')) return filePath(place);
  return isUrl(place) ? place : resolve(place);
}
