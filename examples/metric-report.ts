/**
 * Compares settings by metrics: `npx tsx examples/metric-report.ts [CONTENT STYLE] [size]` paints one pair with several
 * presets and prints a Markdown table.
 */
import { fileURLToPath } from 'node:url';
import type { PresetName } from 'tfjs-style-transfer';
import { evaluate, styleTransfer, useWasm } from 'tfjs-style-transfer/node';

const picture = (name: string) => fileURLToPath(new URL(`images/${name}`, import.meta.url));
const [content = picture('content.jpg'), style = picture('style.jpg'), size = '192'] = process.argv.slice(2);
const presets: readonly PresetName[] = ['li2021', 'li2021-l1', 'li2021-baseline'];

await useWasm();
const rows: string[][] = [];
for (const preset of presets) {
  const { image, evaluations, elapsedMs, dispose } = await styleTransfer(content, style, {
    preset,
    size: Number(size),
    iterations: 40,
  });
  const scores = await evaluate({
    image,
    content,
    style,
    metrics: ['ssim', 'cosineSimilarity', 'mutualInformation'],
  });
  const of = (against: 'content' | 'style') =>
    Object.values(scores[against] ?? {}).map((value) => value.toFixed(4));
  rows.push([preset, ...of('content'), ...of('style'), String(evaluations), (elapsedMs / 1000).toFixed(1)]);
  dispose();
}

const names = ['SSIM', 'cosine', 'mutual information'];
const header = [
  'preset',
  ...names.map((n) => `${n}, content`),
  ...names.map((n) => `${n}, style`),
  'evaluations',
  's',
];
for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
