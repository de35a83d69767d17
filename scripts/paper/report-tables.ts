import { type MetricName, metricNames } from '../../src/metrics';
import { type Claim, claims } from './claims';
import { type Html, html } from './html';
import type { ReportContent } from './report-content';
import { isFeedForward, type System, type SystemId } from './systems';
import { type Gain, gainOf, type Reference, tableOf, type Verdict, verdictOf } from './tables';

/** Each claim with our gain in each reading of "the baselines", and whether it holds. */
export function findings(content: ReportContent): Html {
  const readings = readingsOf(content.systems);
  const rows = claims.map((claim) => ({
    claim,
    gains: readings.map(({ baselines }) => gainFor(content, claim.metric, 'style', baselines)),
  }));
  const summary = readings.map(({ title }, i) => {
    const named = (verdict: Verdict) => {
      const found = rows.filter(({ claim, gains }) => verdictOf(gains[i], claim.gain) === verdict);
      return found.length > 0 ? found.map(({ claim }) => claim.short).join(', ') : 'none';
    };
    return html`<li>Over ${title}: at least the paper&rsquo;s gain in ${named('holds')}; a smaller one in ${named('smaller')}; no gain in ${named('fails')}.</li>`;
  });
  return html`<ul>${summary}</ul>
<table><thead><tr><th>Metric, against the style</th><th>Paper&rsquo;s gain</th>${readings.map(({ title }) => html`<th>Over ${title}</th><th>Holds?</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ claim, gains }) =>
      html`<tr><td>${claim.title}</td><td>${signed(claim.gain)}</td>${gains.map((gain) => gainCells(gain, claim))}</tr>`,
  )}</tbody></table>
<p class="note">Below each gain: in how many pairs the full model is above the mean of the baselines.</p>`;
}

/** Tables 2 to 4 with our numbers. */
export function claimTables(content: ReportContent, reference: Reference): Html {
  const order = content.systems.map((system) => system.id);
  const tables = claims.map((claim) => {
    const { rows } = tableOf(content.measured, claim.metric, reference, order, fullOf(content.systems));
    const absent = content.missing.map(
      ({ title, reason }) => html`<tr class="absent"><td>${title}</td><td colspan="2">${reason}</td></tr>`,
    );
    const readings = readingsOf(content.systems).map(({ title, baselines }) => {
      const gain = gainFor(content, claim.metric, reference, baselines);
      return html`<tr class="sum"><td>Mean of ${title}</td><td>${gain.meanOfBaselines.toFixed(4)}</td><td>${signed(gain.percent)}</td></tr>`;
    });
    const paper =
      reference === 'style' &&
      html`<tr class="paper"><td>Paper&rsquo;s gain over the baselines</td><td></td><td>${signed(claim.gain)}</td></tr>`;
    return html`<table><caption>${reference === 'style' ? `Table ${claim.table}. ` : ''}${claim.title}</caption>
<thead><tr><th>System</th><th>Mean</th><th>Gain of full</th></tr></thead><tbody>
${rows.map(({ system, mean, gainOfFull }) => {
  const { title, role } = content.systems.find((s) => s.id === system) as System;
  return html`<tr class="${role}"><td>${title}</td><td>${mean.toFixed(4)}</td><td>${role === 'full' ? '' : signed(gainOfFull)}</td></tr>`;
})}${absent}${readings}${paper}</tbody></table>`;
  });
  return html`<div class="tables">${tables}</div>
<details><summary>Every pair</summary>${pairTable(content, reference)}</details>`;
}

function pairTable({ systems, measured, pictures }: ReportContent, reference: Reference): Html {
  const rows = pictures.flatMap(({ pair }) =>
    claims.map(({ metric }) => {
      const values = systems.map(({ id }) => {
        const value = measured.find((run) => run.pair === pair && run.system === id)?.[reference][metric];
        return html`<td>${value?.toFixed(4)}</td>`;
      });
      return html`<tr><td>${pair}</td><td>${metric}</td>${values}</tr>`;
    }),
  );
  return html`<table><thead><tr><th>Pair</th><th>Metric</th>${systems.map(({ title }) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** What a picture of each system takes, and before it the training of a network for its style. */
export function times(content: ReportContent): Html {
  const rows = timesOf(content).map(({ system, seconds, training }) => {
    const { title } = content.systems.find(({ id }) => id === system) as System;
    const trained = training ? `${(training / 60).toFixed(1)} min` : '';
    return html`<tr><td>${title}</td><td>${seconds.toPrecision(3)}</td><td>${trained}</td></tr>`;
  });
  return html`<table><thead><tr><th>System</th><th>Seconds a picture</th><th>Training of a style</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** Means over the pairs in seconds. */
export function timesOf({ systems, records }: Pick<ReportContent, 'systems' | 'records'>) {
  return systems.map(({ id }) => {
    const runs = records.filter((record) => record.system === id);
    const mean = (of: (record: (typeof runs)[number]) => number) =>
      runs.reduce((sum, record) => sum + of(record), 0) / runs.length;
    return {
      system: id,
      seconds: mean(({ seconds }) => seconds),
      training: isFeedForward(id) ? mean(({ training }) => training?.seconds ?? 0) : undefined,
    };
  });
}

/** Means of every metric against both. */
export function allMetrics({ systems, measured }: ReportContent): Html {
  const order = systems.map((system) => system.id);
  const column = (metric: MetricName, reference: Reference) =>
    tableOf(measured, metric, reference, order, fullOf(systems)).rows.map((row) => row.mean);
  const rows = (['style', 'content'] as const).flatMap((reference) =>
    metricNames.map((metric) => {
      const values = column(metric, reference);
      return html`<tr><td>${metric}</td><td>${reference}</td>${values.map((value) => html`<td>${value.toPrecision(4)}</td>`)}</tr>`;
    }),
  );
  return html`<table><thead><tr><th>Metric</th><th>Against</th>${systems.map(({ title }) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>
<p class="note">Similarities, PSNR (dB) and mutual information (bits and normalised): higher is more alike. Distances: lower is.</p>`;
}

/** The readings of "the baselines": what is improved upon, the systems before any improvement, every other system. */
export function readingsOf(
  systems: readonly System[],
): readonly { title: string; baselines: readonly SystemId[] }[] {
  const before = systems.filter((system) => system.role === 'baseline');
  const improved = before.filter((system) => system.id === 'li2021-baseline');
  const others = systems.filter(({ role }) => role === 'baseline' || role === 'ablation');
  const reading = (
    chosen: readonly System[],
    title = chosen.map((system) => system.title).join(' and '),
  ) => ({
    title,
    baselines: chosen.map((system) => system.id),
  });
  return [
    reading(improved),
    ...(before.length > improved.length ? [reading(before)] : []),
    reading(others, 'all others'),
  ];
}

/** The full model's gain in one reading. */
export function gainFor(
  { measured, systems }: Pick<ReportContent, 'measured' | 'systems'>,
  metric: MetricName,
  reference: Reference,
  baselines: readonly SystemId[],
): Gain {
  return gainOf(measured, metric, reference, fullOf(systems), baselines);
}

const fullOf = (systems: readonly System[]): SystemId =>
  systems.find((system) => system.role === 'full')?.id ?? 'li2021';

const verdictWords: Readonly<Record<Verdict, string>> = {
  holds: 'yes',
  smaller: 'in direction only',
  fails: 'no',
};

function gainCells(gain: Gain, claim: Claim): Html {
  const verdict = verdictOf(gain, claim.gain);
  return html`<td>${signed(gain.percent)}<small>${gain.pairsAbove} of ${gain.pairs} pairs</small></td><td class="${verdict}">${verdictWords[verdict]}</td>`;
}

const signed = (percent: number) => `${percent < 0 ? '\u2212' : '+'}${Math.abs(percent).toFixed(3)}\u2009%`;
