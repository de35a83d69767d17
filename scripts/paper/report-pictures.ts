import { type Html, html } from './html';
import type { ReportContent } from './report-content';

/** One row a pair: content, style, and what each system made of them, as the paper's figures 4 to 6. */
export function pictureGrid({ systems, pictures, measured }: ReportContent): Html {
  const head = ['Content', 'Style', ...systems.map((system) => system.title)];
  const rows = pictures.map((row) => {
    const results = systems.map(({ id, title }) => {
      const run = measured.find((r) => r.pair === row.pair && r.system === id);
      const style = run?.style.styleDistance ?? Number.NaN;
      const content = run?.content.contentDistance ?? Number.NaN;
      return html`<figure><img src="${row.results[id]}" alt="${row.pair}, ${title}">
<figcaption>style ${digits(style * 1e6)}, content ${digits(content)}</figcaption></figure>`;
    });
    const [contentName, styleName] = row.pair.split(' / ');
    return html`<figure><img src="${row.content}" alt="${contentName}"><figcaption>${contentName}</figcaption></figure>
<figure><img src="${row.style}" alt="${styleName}"><figcaption>${styleName}</figcaption></figure>${results}`;
  });
  return html`<div class="grid" style="--columns: ${head.length}">${head.map((title) => html`<b>${title}</b>`)}${rows}</div>`;
}

/** Three digits, and never an exponent. */
const digits = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
