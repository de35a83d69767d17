import { Command } from 'commander';
import { type Generator, slopesName } from '../features/generator';
import {
  type ConvertGeneratorOptions,
  convertGenerator,
  convertGeneratorOptions,
} from '../generators/convert';
import { saveGenerator } from '../node/generators';
import { sourceBytes } from '../node/source-bytes';
import { requireStyleExtension } from '../node/styles';
import { requireWritableFile } from '../node/write-file';
import { showText } from '../options/show';
import { any, flag, optionTable } from '../options/table';
import { requireOtherFile } from './destination';
import { addFlags, only } from './flags';
import { interruptible } from './interruptible';
import { deliverResult } from './result';
import type { Terminal } from './terminal';

/** Flags of `tfjs-style-transfer convert`, beside those of `convertGenerator`. */
interface ConvertFlags {
  readonly output?: string | undefined;
  readonly predictor?: string | undefined;
  readonly quantize?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const file = (help: string, flag: string) =>
  any<string, { help: string; flag: string }>(
    'a file',
    (value) => typeof value === 'string' && value !== '',
    {
      help,
      flag,
    },
  );

const table = optionTable<ConvertFlags>()('convert', {
  output: file('where to write it: a file with the extension .safetensors', '-o, --output <file>'),
  predictor: file(
    'the ONNX file of the network that finds the style of a picture, if there is one',
    '--predictor <file>',
  ),
  quantize: flag({
    default: false,
    flag: '--quantize',
    help: 'store kernels in 8 bits: a quarter of the size',
  }),
  json: flag({ default: false, flag: '--json', help: 'print JSON' }),
  quiet: flag({ default: false, flag: '-q, --quiet', help: 'print nothing but errors' }),
});

const { output, predictor, ...others } = table.options;
const { predictor: _, ...converting } = convertGeneratorOptions.options;

/** Every option of the command, in the order of its help. */
export const convertOptions = { output, predictor, ...converting, ...others };

/** `tfjs-style-transfer convert`: other people's networks as generator files. */
export function convertCommand(terminal: Terminal): Command {
  const command = new Command('convert')
    .description("make a generator file of another program's network: an ONNX file, or CartoonGAN's tensors")
    .argument('<file>', 'an .onnx or .safetensors file: a file or a URL')
    .action(async (network: string, values: Readonly<Record<string, unknown>>) => {
      const flags = table.read(only(table.options, values) as ConvertFlags);
      const options = only(converting, values) as ConvertGeneratorOptions;
      convertGeneratorOptions.read(options);
      const written = String(flags.output);
      requireStyleExtension('output', written);
      await requireOtherFile(written, { file: network, predictor: flags.predictor });
      await requireWritableFile(written);
      const generator = await interruptible(terminal, async ({ signal }) => {
        const bytes = await sourceBytes('file', network, signal);
        const predicting =
          flags.predictor === undefined ? undefined : await sourceBytes('predictor', flags.predictor, signal);
        const converted = await convertGenerator(bytes, { ...options, predictor: predicting });
        signal.throwIfAborted();
        await saveGenerator(written, converted, { quantize: flags.quantize });
        return converted;
      });
      if (flags.json)
        await deliverResult(terminal, `${JSON.stringify(facts(written, generator), null, 2)}\n`);
      else if (!flags.quiet) await deliverResult(terminal, describe(written, generator));
    });
  return addFlags(command, convertOptions, ['output']);
}

function facts(file: string, generator: Generator) {
  const { name, network, predictor, styles, vectorLength, license, origin } = generator;
  const conditional = [...generator.weights.keys()].filter((name) => name.endsWith(slopesName('')));
  return {
    file,
    name,
    steps: network.steps.length,
    values: Array.from(generator.weights.values(), ({ values }) => values.length).reduce((a, b) => a + b, 0),
    vectorLength,
    conditionalParameters: conditional.length,
    ...(predictor === undefined ? {} : { predictorSteps: predictor.steps.length }),
    styles,
    license: license ?? null,
    origin: origin ?? null,
  };
}

function describe(file: string, generator: Generator): string {
  const { name, steps, values, vectorLength, predictorSteps, styles, license, origin } = facts(
    file,
    generator,
  );
  const paints =
    predictorSteps !== undefined
      ? 'as any picture'
      : vectorLength > 0
        ? `${vectorLength} styles, or blends of them`
        : 'one style';
  const rows = [
    ['name', name],
    ['paints', paints],
    ['styles', styles.length === 0 ? 'without names' : styles.join(', ')],
    ['network', `${steps} steps, ${values.toLocaleString('en')} numbers`],
    ['licence', license ?? 'not stated'],
    ['origin', origin ?? 'not stated'],
  ];
  const lines = rows.map(([title, text]) => `  ${title.padEnd(10)}${showText(text, 1000)}`);
  return `${showText(file, 1000)}\n${lines.join('\n')}\n`;
}
