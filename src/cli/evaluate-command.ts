import { Command } from 'commander';
import { evaluate, type ImageEvaluation, type MetricName, metricNames } from '../metrics/evaluate';
import { decodeInput } from '../node/image-input';
import { loadVgg19 } from '../node/load-vgg19';
import { useWasm } from '../node/use-wasm';
import { any, flag, optionTable } from '../options/table';
import { addFlags, only } from './flags';
import { interruptible } from './interruptible';
import { fileOrStdin, requireOneDash } from './read-stdin';
import { deliverResult } from './result';
import type { Terminal } from './terminal';

/** Flags of `tfjs-style-transfer evaluate`. */
interface EvaluateFlags {
  readonly style?: string | undefined;
  readonly content?: string | undefined;
  readonly weights?: string | undefined;
  readonly json?: boolean | undefined;
}

const picture = (name: string) =>
  any<string, { flag: string; help: string }>('a file or URL', (value) => typeof value === 'string', {
    flag: `--${name} <image>`,
    help: `the ${name} image; resized to the stylised one`,
  });

const table = optionTable<EvaluateFlags>()('evaluate', {
  style: picture('style'),
  content: picture('content'),
  weights: any<string, { flag: string; help: string }>(
    'a folder, a file, a URL, vgg19 or embedded',
    (value) => typeof value === 'string',
    {
      flag: '--weights <where>',
      help: 'VGG-19 for the distances: a folder, file or URL (default: cached VGG-19, else embedded)',
    },
  ),
  json: flag({
    default: false,
    flag: '--json',
    help: 'print JSON; the PSNR of equal images, which is infinite, is null there',
  }),
});

/** Every option of the command. */
export const evaluateOptions = table.options;

/** The object that the command prints: every metric, and the network of the distances. */
interface PrintedEvaluation extends ImageEvaluation<MetricName> {
  readonly image: string;
  readonly weights: string;
  /** True where no VGG-19 was found and the network that comes with the package stood in. */
  readonly embedded: boolean;
}

/**
 * `tfjs-style-transfer evaluate`: every metric of a stylised image against its style and its content, on stdout as a
 * table or JSON.
 */
export function evaluateCommand(terminal: Terminal): Command {
  const command = new Command('evaluate')
    .description('measure a stylised image against its style and its content')
    .argument('<image>', 'the stylised image: a file, a URL, or - for stdin');
  return addFlags(command, evaluateOptions, ['style']).action(
    async (image: string, values: Readonly<Record<string, unknown>>) => {
      const flags = table.read(only(evaluateOptions, values) as EvaluateFlags);
      const evaluation = await interruptible(terminal, ({ signal }) =>
        measure(image, flags, terminal, signal),
      );
      await deliverResult(
        terminal,
        flags.json ? `${JSON.stringify(evaluation, null, 2)}\n` : tableOf(evaluation),
      );
    },
  );
}

async function measure(
  image: string,
  { style, content, weights }: EvaluateFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PrintedEvaluation> {
  requireOneDash({ image, style, content });
  const decode = async (option: string, input: string) =>
    decodeInput(option, await fileOrStdin(option, input, terminal.stdin, signal), undefined, signal);
  // Files first, so that a misspelt name is reported before weights are read.
  const images = {
    image: await decode('image', image),
    style: style === undefined ? undefined : await decode('style', style),
    content: content === undefined ? undefined : await decode('content', content),
  };
  await useWasm();
  const extractor = await loadVgg19({ weights, signal });
  try {
    const evaluation = await evaluate({ ...images, extractor, metrics: metricNames });
    return {
      image,
      weights: extractor.weights ?? extractor.name,
      embedded: extractor.embedded ?? false,
      ...evaluation,
    };
  } finally {
    extractor.dispose();
  }
}

/** Title of a metric in the table, and its unit or range. */
const labels: Readonly<Record<MetricName, readonly [name: string, meaning: string]>> = {
  ssim: ['SSIM', '-1 to 1, 1 equal'],
  msSsim: ['MS-SSIM', '0 to 1, 1 equal'],
  psnr: ['PSNR', 'dB, higher is nearer'],
  cosineSimilarity: ['cosine similarity', '0 to 1, 1 same direction'],
  mutualInformation: ['mutual information', 'bits, 0 independent'],
  mutualInformationGeometric: ['  / sqrt(H(A) H(B))', '0 to 1'],
  mutualInformationArithmetic: ['  / mean of H(A), H(B)', '0 to 1'],
  contentDistance: ['content distance', 'loss at conv2_2, 0 equal'],
  styleDistance: ['style distance', 'loss at five layers, 0 equal'],
};

function tableOf(evaluation: PrintedEvaluation): string {
  const { image, width, height, msSsimScales, style, content, weights, embedded } = evaluation;
  const columns = [
    { title: 'style', values: style },
    ...(content ? [{ title: 'content', values: content }] : []),
  ];
  const row = (name: string, cells: readonly string[], meaning: string) =>
    `${name.padEnd(24)}${cells.map((cell) => cell.padStart(11)).join('')}   ${meaning}`.trimEnd();
  const lines = metricNames.map((metric) => {
    const [name, meaning] = labels[metric];
    const cells = columns.map(({ values }) => format(values?.[metric] ?? Number.NaN));
    return row(metric === 'msSsim' ? `${name}, ${msSsimScales} scales` : name, cells, meaning);
  });
  const caution = embedded ? ', which stands in for VGG-19: compare them only with each other' : '';
  const network = `Distances by ${weights}${caution}.`;
  const head = row(
    'against',
    columns.map(({ title }) => title),
    '',
  );
  return `${image}, ${width}x${height}\n${[head, ...lines].join('\n')}\n${network}\n`;
}

/** Four decimals; values below 0.001 as 1.234e-5. */
const format = (value: number) =>
  value !== 0 && Math.abs(value) < 0.001
    ? value.toExponential(3)
    : Number.isFinite(value)
      ? value.toFixed(4)
      : 'infinite';
