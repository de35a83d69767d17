import { describe, expect, it } from 'vitest';
import { claims } from '../../scripts/paper/claims';
import { html, raw } from '../../scripts/paper/html';
import { lossCurves } from '../../scripts/paper/loss-curves';
import { report } from '../../scripts/paper/report';
import type { ReportContent } from '../../scripts/paper/report-content';
import type { RunRecord } from '../../scripts/paper/run-record';
import { systems } from '../../scripts/paper/systems';
import { type MetricName, type MetricValues, metricNames } from '../../src/metrics';

const pair = 'cat / sea & sky';
const picture = 'data:image/jpeg;base64,AAAA';
const history = [
  { evaluations: 1, loss: 1000 },
  { evaluations: 10, loss: 10 },
];

function contentOf(fullValue: number): ReportContent {
  const values = (value: number) =>
    Object.fromEntries(metricNames.map((name) => [name, value])) as MetricValues<MetricName>;
  return {
    systems,
    missing: [{ title: 'Ulyanov', reason: 'not here' }],
    records: systems.map(
      ({ id }): RunRecord => ({
        fingerprint: '',
        content: 'cat',
        style: 'sea & sky',
        system: id,
        evaluations: 10,
        iterations: 9,
        seconds: 6,
        stopReason: 'maxIterations',
        loss: 10,
        terms: {},
        history,
        engine: 'tfjs',
        backend: 'wasm',
        weights: 'VGG-19',
      }),
    ),
    measured: systems.map(({ id, role }) => {
      const value = values(role === 'full' ? fullValue : 0.5);
      return { pair, system: id, style: value, content: value };
    }),
    pictures: [
      {
        pair,
        content: picture,
        style: picture,
        results: Object.fromEntries(systems.map(({ id }) => [id, picture])),
      },
    ],
    size: 64,
    iterations: 9,
  };
}

describe('report', () => {
  it('is one file that needs no other', () => {
    const page = report(contentOf(0.6));
    const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]);
    expect(
      addresses.filter((address) => !address.startsWith('data:') && !address.startsWith('https://doi.org/')),
    ).toEqual([]);
    expect(page).not.toMatch(/<script|@import|url\(/);
  });

  it('says for each claim whether it holds', () => {
    const verdicts = (page: string) =>
      [...page.matchAll(/<td class="(holds|smaller|fails)">/g)].map((match) => match[1]);
    // Full 0.6 over 0.5: +20 %, more than any claim.
    expect(verdicts(report(contentOf(0.6)))).toEqual(new Array(3 * claims.length).fill('holds'));
    // +0.2 %: more than 0.094 %, less than 0.323 % and 3.591 %.
    const each = ['smaller', 'holds', 'smaller'].flatMap((verdict) => [verdict, verdict, verdict]);
    expect(verdicts(report(contentOf(0.501)))).toEqual(each);
    expect(verdicts(report(contentOf(0.4)))).toEqual(new Array(3 * claims.length).fill('fails'));
  });

  it('names rows of the paper that are missing, with the reason', () => {
    expect(report(contentOf(0.6))).toContain('Ulyanov</td><td colspan="2">not here');
  });

  it('has the time of a picture, and of the training before it', () => {
    const content = contentOf(0.6);
    const records = content.records.map((record) =>
      record.system === 'ulyanov'
        ? { ...record, loss: undefined, history: [], seconds: 0.0123, training: { steps: 400, seconds: 90 } }
        : record,
    );
    const page = report({ ...content, records });
    expect(page).toContain('<td>Ulyanov</td><td>0.0123</td><td>1.5 min</td>');
    expect(page).toContain('400 steps');
    expect([...page.matchAll(/<polyline /g)]).toHaveLength(systems.length - 1);
  });

  it('shows every picture', () => {
    expect([...report(contentOf(0.6)).matchAll(/<img /g)]).toHaveLength(2 + systems.length);
  });

  it('escapes names', () => {
    const page = report(contentOf(0.6));
    expect(page).toContain('sea &#38; sky');
    expect(page).not.toContain('sea & sky');
  });
});

describe('html', () => {
  it('escapes what is put in, joins lists, leaves out what is not there', () => {
    const items = ['<a>', '"b"'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}${undefined}${false}${raw('<hr>')}</ul>`.text).toBe(
      '<ul><li>&#60;a&#62;</li><li>&#34;b&#34;</li><hr></ul>',
    );
    expect(html`${0}`.text).toBe('0');
  });
});

describe('lossCurves', () => {
  it('draws each loss as a fraction of its start, a decade at equal distance', () => {
    const picture = lossCurves([{ title: 'one', color: 'red', points: history }]);
    const points = /points="([^"]*)"/
      .exec(picture)?.[1]
      .split(' ')
      .map((point) => point.split(',').map(Number));
    // 1000 to 10 is two decades: from the top of the plot to its bottom.
    expect(points).toEqual([
      [44, 10],
      [330, 160],
    ]);
  });
});
