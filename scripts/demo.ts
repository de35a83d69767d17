/**
 * `npm run demo`: styles the pictures of examples/images by the command line program, and puts content, style and
 * result side by side. With VGG-19 where it is (TFJS_STYLE_TRANSFER_WEIGHTS, or fetched before), else with the network
 * that comes with the package.
 */
import { mkdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import sharp from 'sharp';
import { runCommandLine } from '../src/cli/command-line.ts';

const root = resolve(import.meta.dirname, '..');
const [content, style] = ['content', 'style'].map((name) => resolve(root, `examples/images/${name}.jpg`));
const folder = resolve(root, 'demo-output');
const [result, sheet] = ['result', 'sheet'].map((name) => resolve(folder, `${name}.png`));

/** Five by seven dots, a number a row. */
const letters: Readonly<Record<string, readonly number[]>> = {
  c: [0, 0, 14, 16, 16, 17, 14],
  e: [0, 0, 14, 17, 31, 16, 14],
  l: [12, 4, 4, 4, 4, 4, 14],
  n: [0, 0, 22, 25, 17, 17, 17],
  o: [0, 0, 14, 17, 17, 17, 14],
  r: [0, 0, 22, 25, 16, 16, 16],
  s: [0, 0, 15, 16, 14, 1, 30],
  t: [8, 8, 28, 8, 8, 9, 6],
  u: [0, 0, 17, 17, 17, 19, 13],
  y: [0, 0, 17, 17, 15, 1, 14],
};

await mkdir(folder, { recursive: true });
// What two cores do in a minute, more or less.
const settings = ['--size', '384', '--preset', 'pytorch-tutorial', '--iterations', '60'];
process.exitCode = await runCommandLine([content, style, '-o', result, ...settings]);
if (process.exitCode === 0) {
  await writeSheet({ content, style, result });
  console.log(`The picture: ${relative('', result)}\nSide by side: ${relative('', sheet)}`);
}

async function writeSheet(pictures: Readonly<Record<string, string>>): Promise<void> {
  const { width = 0, height = 0 } = await sharp(pictures.result).metadata();
  const [margin, caption] = [12, 28];
  const columns = Object.entries(pictures).map(([name, path], i) => ({
    name,
    path,
    left: margin + i * (width + margin),
  }));
  const tiles = columns.map(async ({ name, path, left }) => [
    { input: await sharp(path).resize(width, height, { fit: 'cover' }).png().toBuffer(), left, top: margin },
    { input: label(name, width, caption), left, top: margin + height },
  ]);
  await sharp({
    create: {
      width: margin + columns.length * (width + margin),
      height: margin + height + caption,
      channels: 3,
      background: '#ffffff',
    },
  })
    .composite((await Promise.all(tiles)).flat())
    .png()
    .toFile(sheet);
}

/** A word, drawn dot by dot: many machines that have Node have no fonts. */
function label(word: string, width: number, height: number): Buffer {
  const dot = 2;
  const [left, top] = [(width - word.length * 6 * dot) / 2, (height - 7 * dot) / 2];
  const dots = [...word].flatMap((letter, i) =>
    letters[letter].flatMap((bits, row) =>
      [0, 1, 2, 3, 4]
        .filter((column) => bits & (16 >> column))
        .map((column) => `M${left + (i * 6 + column) * dot} ${top + row * dot}h${dot}v${dot}h-${dot}z`),
    ),
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><path fill="#333" d="${dots.join('')}"/></svg>`,
  );
}
