import { Command } from 'commander';
import { version } from '../../package.json';
import { getPreset, presetNames } from '../transfer/presets';
import { exitCodesHelp } from './exit-codes';
import { addFlags } from './flags';
import { paint } from './paint';
import { styleOptions } from './style-options';
import type { Terminal } from './terminal';

/** `tfjs-style-transfer <content> <style...>`: paints one picture in the style of another, or of several. */
export function styleCommand(terminal: Terminal): Command {
  const command = new Command('tfjs-style-transfer')
    .description('Paints the content picture in the style of another.')
    .version(version)
    .enablePositionalOptions()
    .argument('<content>', 'picture to be painted: a file, a URL, or - for stdin')
    .argument(
      '<style...>',
      'pictures whose styles it is painted in, or style files: files, URLs, or - for stdin',
    );
  return addFlags(command, styleOptions)
    .addHelpText('after', presetHelp)
    .action((content: string, styles: readonly string[], flags: Readonly<Record<string, unknown>>) =>
      paint({ content, styles }, flags, terminal),
    );
}

function presetHelp(): string {
  const lines = presetNames.map(getPreset).map(({ name, description, alpha, beta, iterations }) => {
    const numbers = `alpha ${alpha}, beta ${beta.toExponential().replace('e+', 'e')}, ${iterations} iterations`;
    return `  ${name.padEnd(20)}${description}\n${' '.repeat(22)}${numbers}`;
  });
  const stopping = 'Ctrl-C saves the picture as it is; a second one stops at once.';
  return `\nPresets:\n${lines.join('\n')}\n\n${stopping}\n${exitCodesHelp}\n`;
}
