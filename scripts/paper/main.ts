import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { useWasm } from '../../src/node/use-wasm';
import { shared } from '../../test/support/shared';
import { runExperiment } from './experiment';
import { TrainedNetworks } from './feed-forward';
import { findPairs, imageName } from './find-images';
import { measureRuns } from './measure';
import { Networks } from './networks';
import { dataUrl } from './pictures';
import { ExperimentProgress } from './progress';
import { runFiles } from './run-record';
import { systems } from './systems';
import { writeReport } from './write-report';

interface Options {
  readonly images: string[];
  readonly size: number;
  readonly iterations: number;
  readonly training: number;
  readonly out: string;
  readonly content?: string[];
  readonly style?: string[];
  readonly weights?: string;
}

const wholeNumber = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number of at least 1 is needed.');
  return value;
};

const program = new Command('paper')
  .description('Reruns the comparison of Li et al. 2021 on your images and writes a report.')
  .requiredOption(
    '--images <folder...>',
    'folders of images, paired within each; subfolders, or names that begin with `content` and `style`, say which is which, else each is both',
  )
  .option('--size <pixels>', 'longer side of the pictures', wholeNumber, 128)
  .option('--iterations <n>', 'steps of the optimiser, the same for every system', wholeNumber, 100)
  .option(
    '--training <steps>',
    'steps of training of each feed-forward network, for each style',
    wholeNumber,
    400,
  )
  .option('--out <folder>', 'where the report and the runs are kept', 'paper-output')
  .option('--content <name...>', 'only these images as contents')
  .option('--style <name...>', 'only these images as styles')
  .option(
    '--weights <where>',
    'VGG-19: a folder, file or URL; by default ../shared/vgg19-uint8 where it is, else what is there without network',
  );

async function main(options: Options): Promise<void> {
  const progress = new ExperimentProgress(process.stderr);
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  await useWasm({ threads: Math.min(8, availableParallelism()) });
  const { size, iterations, out } = options;
  const pairs = await findPairs(options.images, { contents: options.content, styles: options.style });
  const standard = shared('vgg19-uint8');
  const weights = options.weights ?? (existsSync(standard) ? standard : undefined);
  const networks = new Networks(weights);
  const feedForward = new TrainedNetworks({
    folder: join(out, 'networks'),
    steps: options.training,
    size,
    weights,
    signal: interruption.signal,
    progress,
  });
  const folder = join(out, 'runs');
  await mkdir(folder, { recursive: true });
  try {
    const { present, missing } = await networks.available(systems);
    for (const { title, reason } of missing) progress.line(`without ${title}: ${reason}`);
    const records = await runExperiment({
      pairs,
      systems: present,
      size,
      iterations,
      extractorFor: (system) => networks.for(system),
      feedForward,
      folder,
      signal: interruption.signal,
      progress,
    });
    progress.line('measuring the pictures');
    const extractor = await networks.for({ id: 'li2021' });
    const measured = await measureRuns(records, pairs, { folder, size, extractor });
    const pictures = await Promise.all(
      pairs.map(async ({ content, style }) => {
        const run = { content: imageName(content), style: imageName(style) };
        const results = present.map(async ({ id }) => [
          id,
          await dataUrl(runFiles(folder, { ...run, system: id }).picture),
        ]);
        return {
          pair: `${run.content} / ${run.style}`,
          content: await dataUrl(content, size),
          style: await dataUrl(style, size),
          results: Object.fromEntries(await Promise.all(results)),
        };
      }),
    );
    const file = await writeReport(
      { systems: present, missing, records, measured, pictures, size, iterations },
      out,
    );
    process.stdout.write(`${resolve(file)}\n`);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    progress.line('Interrupted; the same command goes on from here.');
    process.exitCode = 130;
  } finally {
    networks.dispose();
    feedForward.dispose();
  }
}

try {
  await program.action(main).parseAsync();
} catch (error) {
  program.error(`paper: ${error instanceof Error ? error.message : error}`);
}
