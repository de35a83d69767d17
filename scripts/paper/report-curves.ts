import { type Html, html, raw } from './html';
import { lossCurves } from './loss-curves';
import type { ReportContent } from './report-content';
import type { System } from './systems';

/** Okabe and Ito's colours, which people who see few colours can tell apart. */
const colors = ['#0072b2', '#56b4e9', '#000000', '#e69f00', '#009e73', '#cc79a7', '#d55e00'];

/** Which colour is which system. */
export function legend(systems: readonly System[]): Html {
  const entries = systems.map(
    ({ title, description }, i) =>
      html`<li><span style="background: ${colors[i % colors.length]}"></span><b>${title}</b> ${description}</li>`,
  );
  return html`<ul class="legend">${entries}</ul>`;
}

/** A chart for each pair. */
export function curvesByPair({ systems, pictures, records }: ReportContent): Html {
  const charts = pictures.map(({ pair }) => {
    const curves = systems.flatMap(({ id, title }, i) => {
      const record = records.find((r) => r.system === id && `${r.content} / ${r.style}` === pair);
      return record && record.history.length > 0
        ? [{ title, color: colors[i % colors.length], points: record.history }]
        : [];
    });
    return html`<figure>${raw(lossCurves(curves))}<figcaption>${pair}</figcaption></figure>`;
  });
  return html`<div class="curves">${charts}</div>`;
}
