import type { EvaluationTimes } from './evaluation';
import type { HistoryTimes } from './histories';
import type { KernelSpeed } from './kernels';
import type { MemoryUse } from './memory';
import type { EvaluationPart } from './parts';
import type { RunTimes } from './run';
import type { ScaleTimes } from './scales';
import type { StatisticTimes } from './statistics';
import { digits } from './timing';

/** Times of evaluations as a Markdown table, with how they compare to each peer at the same size: parts of its time. */
export function evaluationTable(rows: readonly EvaluationTimes[]): string {
  const peers = ['stock', 'flipped', 'contiguous', 'channels_last'].filter((peer) =>
    rows.some(({ engine }) => engine.includes(peer)),
  );
  return table(
    [
      'size',
      'to',
      'engine',
      's an evaluation',
      'of these forward',
      'losses and backward',
      ...peers.map((peer) => `of ${peer}`),
    ],
    rows.map(({ size, depth, engine, evaluation, forward, backward }) => [
      String(size),
      depth,
      engine,
      `${digits(evaluation.median)} (${digits(evaluation.min)}-${digits(evaluation.max)})`,
      forward === undefined ? '' : digits(forward),
      backward === undefined ? '' : digits(backward),
      ...peers.map((peer) => {
        const found = rows.find(
          (row) => row.size === size && row.depth === depth && row.engine.includes(peer),
        );
        return found ? digits(evaluation.median / found.evaluation.median) : '';
      }),
    ]),
  );
}

/** Parts of evaluations as a Markdown table, one column for each number of threads. */
export function partsTable(rows: readonly EvaluationPart[]): string {
  const counts = [...new Set(rows.map(({ threads }) => threads))];
  const parts = [...new Set(rows.map(({ part }) => part))];
  return table(
    ['part', ...counts.flatMap((n) => [`ms, threads: ${n}`, 'share', 'GFLOP/s'])],
    parts.map((part) => [
      part,
      ...counts.flatMap((n) => {
        const row = rows.find(({ threads, part: name }) => threads === n && name === part);
        if (!row) return ['', '', ''];
        const { milliseconds, share, speed } = row;
        return [digits(milliseconds), `${(100 * share).toFixed(1)} %`, speed ? digits(speed) : ''];
      }),
    ]),
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
      row.optimizing === undefined
        ? ''
        : `${digits(row.optimizing)} (${((100 * row.optimizing) / (row.evaluating + row.optimizing)).toFixed(1)} %)`,
      row.secondsToTarget === undefined
        ? 'not reached'
        : `${digits(row.secondsToTarget)} (${row.evaluationsToTarget})`,
    ]),
  );
}

/** Speeds of kernels as a Markdown table. */
export function kernelTable(rows: readonly KernelSpeed[]): string {
  return table(
    ['kernel', 'own, 1 thread', 'own, 2 threads', 'XNNPACK, 1 thread', 'times XNNPACK, 1 thread'],
    rows.map(({ kernel, own, xnnpack }) => [
      kernel,
      ...[own[0], own[1], xnnpack, own[0] / xnnpack].map(digits),
    ]),
  );
}

/** Histories of L-BFGS as a Markdown table. */
export function historyTable(rows: readonly HistoryTimes[]): string {
  return table(
    [
      'size',
      'history',
      'MB',
      'own ms an iteration',
      'evaluations to the first one’s loss after 100',
      'loss after 100',
    ],
    rows.map(({ size, history, memory, own, evaluations, loss }) => [
      String(size),
      history,
      digits(memory),
      `${digits(own.median)} (${digits(own.min)}-${digits(own.max)})`,
      evaluations === undefined ? 'more than 120' : String(evaluations),
      digits(loss),
    ]),
  );
}

/** Memory as a Markdown table. */
export function memoryTable(rows: readonly MemoryUse[]): string {
  return table(
    ['size', 'maps and gradients', 'planned', 'whole heap', 'L-BFGS beside it, at most'],
    rows.map(({ size, maps, planned, heap, optimizer }) => [
      String(size),
      ...[maps, planned, heap, optimizer].map(digits),
    ]),
  );
}

/** Runs at one size and in stages as a Markdown table. */
export function statisticsTable(rows: readonly StatisticTimes[]): string {
  return table(
    ['size', 'engine', 'statistic', 's', 'beyond Gram matrices'],
    rows.map(({ size, engine, statistic, seconds, beyondGram }) => [
      String(size),
      engine,
      statistic,
      digits(seconds),
      `${Math.round(100 * beyondGram)} %`,
    ]),
  );
}

export function scalesTable(rows: readonly ScaleTimes[]): string {
  return table(
    [
      'size',
      'preset',
      'scales',
      'evaluations',
      'as many of full size',
      'loss',
      's',
      's to the loss of one size',
      'full evaluations to it',
    ],
    rows.map((row) => [
      String(row.size),
      row.preset,
      row.scales,
      row.evaluations.join(' + '),
      ...[row.work, row.loss, row.seconds].map(digits),
      ...[row.secondsToTarget, row.workToTarget].map((found) =>
        found === undefined ? 'not reached' : digits(found),
      ),
    ]),
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
