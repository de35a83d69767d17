import type { EvaluationTimes } from './evaluation';
import type { RunTimes } from './run';
import { digits } from './timing';

/** Times of evaluations as a Markdown table; ratios are to the stock evaluation of the same size. */
export function evaluationTable(rows: readonly EvaluationTimes[]): string {
  return table(
    [
      'size',
      'engine',
      's an evaluation',
      'of these forward',
      'losses and backward',
      'times faster than stock',
    ],
    rows.map(({ size, engine, evaluation, forward, backward }) => {
      const stock = rows.find((row) => row.size === size && row.engine.includes('stock'));
      return [
        String(size),
        engine,
        `${digits(evaluation.median)} (${digits(evaluation.min)}-${digits(evaluation.max)})`,
        forward === undefined ? '' : digits(forward),
        backward === undefined ? '' : digits(backward),
        stock ? digits(stock.evaluation.median / evaluation.median) : '',
      ];
    }),
  );
}

/** Whole runs as a Markdown table. */
export function runTable(rows: readonly RunTimes[]): string {
  const counts = [...new Set(rows.flatMap(({ lossAfter }) => Object.keys(lossAfter)))];
  return table(
    [
      'size',
      'engine',
      ...counts.map((n) => `loss after ${n}`),
      's evaluating',
      's optimising',
      's to 47.3 (evaluations)',
    ],
    rows.map((row) => [
      String(row.size),
      row.engine,
      ...counts.map((n) => (row.lossAfter[Number(n)] === undefined ? '' : digits(row.lossAfter[Number(n)]))),
      digits(row.evaluating),
      `${digits(row.optimizing)} (${((100 * row.optimizing) / (row.evaluating + row.optimizing)).toFixed(1)} %)`,
      row.secondsToTarget === undefined
        ? 'not reached'
        : `${digits(row.secondsToTarget)} (${row.evaluationsToTarget})`,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
