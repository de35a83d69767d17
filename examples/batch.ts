/**
 * A folder of pictures in one style: `npx tsx examples/batch.ts FOLDER STYLE OUTPUT [size]`. The network is loaded
 * once. A picture that cannot be read is reported and skipped; the exit code is 1 if there was one.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { StyleTransferError } from 'tfjs-style-transfer';
import { loadVgg19, styleTransfer, useWasm, writeImage } from 'tfjs-style-transfer/node';

const [folder, style, output, size = '256'] = process.argv.slice(2);
if (!output) {
  console.error('usage: batch.ts FOLDER STYLE OUTPUT [size]');
  process.exit(2);
}
await mkdir(output, { recursive: true });
const pictures = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|tiff?)$/i.test(name)).sort();

await useWasm();
const extractor = await loadVgg19();
for (const name of pictures) {
  try {
    const { image, elapsedMs, dispose } = await styleTransfer(join(folder, name), style, {
      extractor,
      size: Number(size),
      iterations: 50,
    });
    const file = join(output, `${parse(name).name}.png`);
    await writeImage(image, file);
    dispose();
    console.log(`${file} (${(elapsedMs / 1000).toFixed(1)} s)`);
  } catch (error) {
    if (!(error instanceof StyleTransferError)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
extractor.dispose();
