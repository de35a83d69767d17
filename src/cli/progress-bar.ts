import colors from 'picocolors';
import { printable } from './printable';
import {
  describeCell,
  describeFrame,
  describePreparation,
  describeStart,
  describeStep,
  describeStyles,
  describeTraining,
  describeWeights,
  type ProgressDisplay,
} from './progress';
import { hasColors, type Output, type Terminal } from './terminal';

/**
 * One line of a terminal, drawn over and over: a bar, then the step in words. On narrow terminals first the bar gets
 * shorter, then the words are cut.
 */
export function progressBar(output: Output, env: Terminal['env']): ProgressDisplay {
  const { green, dim } = colors.createColors(hasColors(output, env));
  let drawn = false;

  const draw = (done: number, text: string) => {
    const words = printable(text);
    // The last column stays free: some terminals wrap when it is written to.
    const columns = (output.columns ?? 80) - 1;
    const cells = Math.max(0, Math.min(30, columns - words.length - 2));
    const filled = Math.round(Math.min(1, Math.max(0, done)) * cells);
    const bar = `${green('█'.repeat(filled))}${dim('░'.repeat(cells - filled))}`;
    output.write(`\r${cells > 0 ? `${bar}  ` : ''}${words.slice(0, columns)}${clearToEnd}`);
    drawn = true;
  };
  const line = (text: string) => {
    output.write(`${drawn ? `\r${clearToEnd}` : ''}${printable(text)}\n`);
    drawn = false;
  };
  return {
    show(event) {
      if (event.type === 'warning') line(event.message);
      if (event.type === 'step') draw(event.done, describeStep(event));
      if (event.type === 'cell') draw(event.done, describeCell(event));
      if (event.type === 'trained') draw(event.step.done, describeTraining(event));
      if (event.type === 'frame') draw(event.done, describeFrame(event));
      if (event.type === 'style') draw(event.styles / event.of, describeStyles(event));
      if (event.type === 'weights')
        draw(event.loadedBytes / (event.totalBytes ?? Number.POSITIVE_INFINITY), describeWeights(event));
      if (event.type === 'prepare') draw(event.done / event.total, describePreparation(event));
      if (event.type === 'start') line(describeStart(event));
    },
    line,
    end() {
      if (drawn) output.write('\n');
      drawn = false;
    },
  };
}

/** ECMA-48: erase in line. */
const clearToEnd = '\x1b[K';
