import type { Cell, Grid } from './grid';
import type { CellResult, Figures } from './results';

/**
 * A page with the pictures of a grid, their figures, and the command that repeats each. It needs nothing but the
 * pictures beside it.
 *
 * @param results by the name of the cell's file
 * @param commandFor the command that paints a cell
 */
export function sweepPage(
  grid: Grid,
  title: string,
  results: ReadonlyMap<string, CellResult>,
  commandFor: (cell: Cell) => string,
): string {
  const head = grid.columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join('');
  const rows = grid.rows.map(({ title: name, cells }) => {
    const shown = cells.map((cell) => cellOf(cell, results.get(cell.file), commandFor(cell))).join('\n');
    return `<tr><th scope="row">${escaped(name)}</th>\n${shown}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
<h1>${escaped(title)}</h1>
<table>
<thead><tr><td></td>${head}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</html>
`;
}

const style = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; color: #222; background: #fff; }
th, td { vertical-align: top; padding: .4rem; text-align: left; }
img { max-width: 20rem; height: auto; display: block; }
.failed { color: #a00; max-width: 20rem; }
dl { display: grid; grid-template-columns: auto auto; gap: 0 .8rem; margin: .3rem 0; width: max-content; }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
code { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; display: block; max-width: 20rem; }
`;

function cellOf({ file, title }: Cell, result: CellResult | undefined, command: string): string {
  return `<td>${contentOf(file, title, result)}
<details><summary>command</summary><code>${escaped(command)}</code></details></td>`;
}

function contentOf(file: string, title: string, result: CellResult = { state: 'pending' }): string {
  if (result.state === 'pending') return '<p>not painted yet</p>';
  if (result.state === 'failed') return `<p class="failed">failed: ${escaped(result.reason)}</p>`;
  const link = escaped(encodeURIComponent(file));
  const image = `<a href="${link}"><img src="${link}" alt="${escaped(title)}" loading="lazy"></a>`;
  const list = figuresOf(result).map(
    ([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`,
  );
  return `${image}\n<dl>${list.join('')}</dl>`;
}

function figuresOf(figures: Figures): readonly (readonly [name: string, value: string])[] {
  const { loss, terms = {}, iterations, evaluations, seconds } = figures;
  const known: readonly (readonly [string, number | undefined, number?])[] = [
    ['loss', loss],
    ...Object.entries(terms).map(([name, value]) => [`of it ${name}`, value] as const),
    ['iterations', iterations, 0],
    ['evaluations', evaluations, 0],
    ['seconds', seconds, 1],
    ['SSIM with content', figures.ssim, 4],
    ['content distance', figures.contentDistance],
    ['style distance', figures.styleDistance],
  ];
  return known.flatMap(([name, value, digits]) =>
    value === undefined ? [] : [[name, digits === undefined ? value.toPrecision(4) : value.toFixed(digits)]],
  );
}

/** Text for HTML, in elements and in attributes. */
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
