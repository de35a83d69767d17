import { metricNames } from '../../src/metrics';
import type { MeasuredRun } from './tables';

/** Every metric of every run, one row each. */
export function toCsv(runs: readonly MeasuredRun[]): string {
  const columns = (['style', 'content'] as const).flatMap((reference) =>
    metricNames.map((metric) => ({ reference, metric })),
  );
  const header = ['pair', 'system', ...columns.map(({ reference, metric }) => `${reference}.${metric}`)];
  const rows = runs.map((run) => [
    run.pair,
    run.system,
    ...columns.map(({ reference, metric }) => String(run[reference][metric] ?? '')),
  ]);
  return `${[header, ...rows].map((row) => row.map(quote).join(',')).join('\n')}\n`;
}

const quote = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
