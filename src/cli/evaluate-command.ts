import { Command } from 'commander';
import { evaluate, type ImageEvaluation, type MetricName, metricNames } from '../metrics/evaluate';
import { decodeInput } from '../node/image-input';
import { loadVgg19 } from '../node/load-vgg19';
import { useWasm } from '../node/use-wasm';
import { any, flag, optionTable } from '../options/table';
import { addFlags, only } from './flags';
import { interruptible } from './interruptible';
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
      help: 'VGG-19 for the distances: a folder, file or URL (default: what is there without network)',
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

/** What the command prints: every metric, and which network the distances are of. */
interface PrintedEvaluation extends ImageEvaluation<MetricName> {
  readonly image: string;
  readonly weights: string;
  /** True where no VGG-19 was found and the network that comes with the package stood in. */
  readonly embedded: boolean;
}

/** `tfjs-style-transfer evaluate`: every metric of a stylised image against its style and its content, as a table or JSON on stdout. */
export function evaluateCommand(terminal: Terminal): Command {
  const command = new Command('evaluate')
    .description('measure a stylised image against its style and its content')
    .argument('<image>', 'the stylised image');
  return addFlags(command, evaluateOptions, ['style']).action(
    async (image: string, values: Readonly<Record<string, unknown>>) => {
      const flags = table.read(only(evaluateOptions, values) as EvaluateFlags);
      const evaluation = await interruptible(terminal, ({ signal }) => measure(image, flags, signal));
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
  signal: AbortSignal,
): Promise<PrintedEvaluation> {
  const decode = async (option: string, input: string | undefined) =>
    input === undefined ? undefined : decodeInput(option, input, undefined, signal);
  // Files first: a misspelt name should not wait for weights.
  const images = {
    image: await decodeInput('image', image, undefined, signal),
    style: await decode('style', style),
    content: await decode('content', content),
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

/** A metric's name for people, and how to read it. */
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
  const network = `Distances by ${weights}${embedded ? ', which stands in for VGG-19: compare them only with each other' : ''}.`;
  const head = row(
    'against',
    columns.map(({ title }) => title),
    '',
  );
  return `${image}, ${width}x${height}\n${[head, ...lines].join('\n')}\n${network}\n`;
}

/** Four decimals, or four digits where that would show none of them. */
const format = (value: number) =>
  value !== 0 && Math.abs(value) < 0.001
    ? value.toExponential(3)
    : Number.isFinite(value)
      ? value.toFixed(4)
      : 'infinite';
