import type { MetricName, MetricValues } from '../../src/metrics';
import type { SystemId } from './systems';

/** The metrics of one picture against its style and its content. */
export interface MeasuredRun {
  /** Pictures of one pair are compared with each other. */
  readonly pair: string;
  readonly system: SystemId;
  readonly style: MetricValues<MetricName>;
  readonly content: MetricValues<MetricName>;
}

/** What a stylised image is compared with. */
export type Reference = 'style' | 'content';

/** A row of a table: a system's mean over the pairs, and how far the full model is above it. */
export interface TableRow {
  readonly system: SystemId;
  readonly mean: number;
  /** (full - mean) / |mean|, in per cent. */
  readonly gainOfFull: number;
}

/** One of the paper's tables 2 to 4 with our numbers. */
export interface Table {
  readonly metric: MetricName;
  readonly reference: Reference;
  readonly pairs: number;
  readonly rows: readonly TableRow[];
}

/** The full model's gain over the mean of some systems. */
export interface Gain {
  readonly baselines: readonly SystemId[];
  readonly meanOfBaselines: number;
  readonly full: number;
  /** (full - mean) / |mean|, in per cent. */
  readonly percent: number;
  /** In how many pairs the full model is above the mean of the baselines. */
  readonly pairsAbove: number;
  readonly pairs: number;
}

/** Whether the paper's claim holds: with its size or more, in its direction only, or not. */
export type Verdict = 'holds' | 'smaller' | 'fails';

/** Means over the pairs for each system, in the order given; systems that did not run on every pair are omitted. */
export function tableOf(
  runs: readonly MeasuredRun[],
  metric: MetricName,
  reference: Reference,
  order: readonly SystemId[],
  full: SystemId,
): Table {
  const pairs = new Set(runs.map((run) => run.pair)).size;
  const means = order.flatMap((system) => {
    const values = runs.filter((run) => run.system === system).map((run) => run[reference][metric]);
    return values.length === pairs ? [{ system, mean: mean(values) }] : [];
  });
  const best = means.find((row) => row.system === full)?.mean ?? Number.NaN;
  const rows = means.map((row) => ({ ...row, gainOfFull: percentAbove(best, row.mean) }));
  return { metric, reference, pairs, rows };
}

/** The full model against the mean of the baselines. */
export function gainOf(
  runs: readonly MeasuredRun[],
  metric: MetricName,
  reference: Reference,
  full: SystemId,
  baselines: readonly SystemId[],
): Gain {
  const pairs = [...new Set(runs.map((run) => run.pair))].map((pair) => {
    const value = (system: SystemId) =>
      runs.find((run) => run.pair === pair && run.system === system)?.[reference][metric] ?? Number.NaN;
    return { full: value(full), baselines: mean(baselines.map(value)) };
  });
  const meanOfBaselines = mean(pairs.map((pair) => pair.baselines));
  const meanOfFull = mean(pairs.map((pair) => pair.full));
  return {
    baselines,
    meanOfBaselines,
    full: meanOfFull,
    percent: percentAbove(meanOfFull, meanOfBaselines),
    pairsAbove: pairs.filter((pair) => pair.full > pair.baselines).length,
    pairs: pairs.length,
  };
}

/** @param claimed the paper's gain in per cent */
export function verdictOf(gain: Gain, claimed: number): Verdict {
  if (gain.percent >= claimed) return 'holds';
  return gain.percent > 0 ? 'smaller' : 'fails';
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percentAbove = (value: number, base: number) => (100 * (value - base)) / Math.abs(base);
