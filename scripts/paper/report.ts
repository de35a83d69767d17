import { choices } from './claims';
import { html, raw } from './html';
import type { ReportContent } from './report-content';
import { curvesByPair, legend } from './report-curves';
import { pictureGrid } from './report-pictures';
import { reportStyle } from './report-style';
import { allMetrics, claimTables, findings, times } from './report-tables';
import type { RunRecord } from './run-record';

/** The whole report as one HTML file that needs no other. */
export function report(content: ReportContent): string {
  const { systems, pictures, size, iterations, records } = content;
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  const { engine, backend, weights } = records.find(({ history }) => history.length > 0) ?? records[0];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Li et al. 2021, rerun</title><style>${raw(reportStyle)}</style></head><body><main>
<h1>Style transfer after Li et al. 2021: the comparison, rerun</h1>
<p class="lead">${systems.length} systems, ${pictures.length} pairs of images, ${size} pixels, ${iterations} iterations each, from the content image; feed-forward networks paint at once.</p>
<p>Network: ${weights}. Computed by the engine ${engine} (tfjs backend ${backend}) in ${(seconds / 60).toFixed(1)} minutes.
Paper: Li, Zheng, Qi, Yan, Wen, Li, Tang, <i>Neural Network-Based Mapping Mining of Image Style Transfer in Big Data Systems</i>,
Comput Intell Neurosci 2021, <a href="https://doi.org/10.1155/2021/8387382">doi 10.1155/2021/8387382</a>.</p>
<h2>Does the claim hold on these images?</h2>
${findings(content)}
<h2>Pictures</h2>
<p>As figures 4 to 6 of the paper. Below each: its distances by the losses themselves, to the style (mean squared difference of Gram matrices,
five convolutions; times 10<sup>6</sup>) and to the content (mean squared difference at conv2_2). Lower is nearer.
Gatys&rsquo; system minimises neither: its layers are others.</p>
${pictureGrid(content)}
<h2>Tables 2 to 4: against the style image</h2>
<p>Means over all pairs; higher is more alike. Gain: of the full model over the row, 100 (full &minus; row) / |row|.</p>
${claimTables(content, 'style')}
<h2>The same against the content image</h2>
${claimTables(content, 'content')}
<h2>All metrics</h2>
${allMetrics(content)}
<h2>Time</h2>
<p>Means over the pairs on this machine. Networks are trained once for each style, ${trainingSteps(records)} steps.</p>
${times(content)}
<h2>Loss curves</h2>
<p>Each loss as a fraction of its own start, on a logarithmic scale. The systems minimise different sums: the curves tell how fast each falls, not which is better.</p>
${legend(systems)}${curvesByPair(content)}
<p>Networks that are trained for a style and paint at once minimise nothing for a picture, and have no curve.</p>
<h2>Where the paper leaves a formula open</h2>
<table class="text"><thead><tr><th>Open</th><th>Chosen here</th></tr></thead><tbody>
${choices.map(({ open, chosen }) => html`<tr><td>${open}</td><td>${chosen}</td></tr>`)}</tbody></table>
<h2>What these numbers cannot tell</h2>
<p>A stylised image shows something else than the style image, so a pixel of one says little about the same pixel of the other. SSIM against the
style is small for every system, and a small difference there is a large per cent. Cosine similarity of pixels is mostly brightness.
Mutual information of so few pixels in so many grey levels is biased upwards. Gains measured so do not rank styles; the pictures and the style distance do better.</p>
</main></body></html>`.text;
}

/** How many steps the networks of a run were trained for. */
const trainingSteps = (records: readonly RunRecord[]): string =>
  [...new Set(records.flatMap(({ training }) => (training ? [training.steps] : [])))].join(', ') || 'no';
