import { describe, expect, it } from 'vitest';
import { toCsv } from '../../scripts/paper/export-tables';
import type { SystemId } from '../../scripts/paper/systems';
import { gainOf, type MeasuredRun, tableOf, verdictOf } from '../../scripts/paper/tables';
import { type MetricName, type MetricValues, metricNames } from '../../src/metrics';

/** A run whose metrics all have one value. */
function run(pair: string, system: SystemId, value: number): MeasuredRun {
  const values = Object.fromEntries(metricNames.map((name) => [name, value])) as MetricValues<MetricName>;
  return { pair, system, style: values, content: values };
}

const order: SystemId[] = ['gatys2016', 'li2021-baseline', 'li2021'];
const runs = [
  run('a / s', 'gatys2016', 0.2),
  run('a / s', 'li2021-baseline', 0.4),
  run('a / s', 'li2021', 0.45),
  run('b / s', 'gatys2016', 0.1),
  run('b / s', 'li2021-baseline', 0.5),
  run('b / s', 'li2021', 0.25),
];

describe('tableOf', () => {
  it('has the mean of each system over the pairs, in the order given', () => {
    const table = tableOf(runs, 'ssim', 'style', ['li2021', 'gatys2016', 'li2021-baseline'], 'li2021');
    expect(table.pairs).toBe(2);
    expect(table.rows.map((row) => row.system)).toEqual(['li2021', 'gatys2016', 'li2021-baseline']);
    // (0.45 + 0.25) / 2, (0.2 + 0.1) / 2, (0.4 + 0.5) / 2
    for (const [i, mean] of [0.35, 0.15, 0.45].entries()) expect(table.rows[i].mean).toBeCloseTo(mean, 12);
  });

  it('has the gain of the full model over each row in per cent', () => {
    const { rows } = tableOf(runs, 'ssim', 'style', order, 'li2021');
    expect(rows[0].gainOfFull).toBeCloseTo((100 * 0.2) / 0.15, 9);
    expect(rows[1].gainOfFull).toBeCloseTo((100 * -0.1) / 0.45, 9);
    expect(rows[2].gainOfFull).toBe(0);
  });

  it('leaves out a system that did not run on every pair', () => {
    const { rows } = tableOf(
      [...runs, run('a / s', 'li2021-l1', 1)],
      'ssim',
      'style',
      [...order, 'li2021-l1'],
      'li2021',
    );
    expect(rows.map((row) => row.system)).toEqual(order);
  });
});

describe('gainOf', () => {
  it('compares the full model with the mean of the baselines and counts the pairs where it is above', () => {
    const gain = gainOf(runs, 'ssim', 'style', 'li2021', ['gatys2016', 'li2021-baseline']);
    expect(gain.meanOfBaselines).toBeCloseTo(0.3, 12);
    expect(gain.full).toBeCloseTo(0.35, 12);
    expect(gain.percent).toBeCloseTo((100 * 0.05) / 0.3, 9);
    expect([gain.pairsAbove, gain.pairs]).toEqual([1, 2]);
  });

  it('is positive where the full model is above a negative mean', () => {
    const negative = [run('a / s', 'gatys2016', -0.2), run('a / s', 'li2021', -0.1)];
    expect(gainOf(negative, 'ssim', 'style', 'li2021', ['gatys2016']).percent).toBeCloseTo(50, 9);
  });

  it('holds with the size claimed, in its direction only, or not', () => {
    const gain = gainOf(runs, 'ssim', 'style', 'li2021', ['gatys2016', 'li2021-baseline']);
    expect(verdictOf(gain, 16)).toBe('holds');
    expect(verdictOf(gain, 17)).toBe('smaller');
    expect(verdictOf({ ...gain, percent: -0.01 }, 17)).toBe('fails');
    expect(verdictOf({ ...gain, percent: Number.NaN }, 17)).toBe('fails');
  });
});

describe('toCsv', () => {
  it('has a row for each run and a column for each metric against both', () => {
    const [header, first, ...rest] = toCsv([run('a, b / s', 'li2021', 0.5)])
      .trimEnd()
      .split('\n');
    expect(header.split(',')).toEqual([
      'pair',
      'system',
      ...metricNames.map((name) => `style.${name}`),
      ...metricNames.map((name) => `content.${name}`),
    ]);
    expect(first).toBe(`"a, b / s",li2021,${new Array(2 * metricNames.length).fill(0.5).join(',')}`);
    expect(rest).toEqual([]);
  });
});
