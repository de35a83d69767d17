/**
 * A folder of pictures in one style: `npx tsx examples/batch.ts FOLDER STYLE OUTPUT [size]`. Several are painted at
 * once; started again, it goes on with what is missing. The exit code is 1 if a picture could not be painted.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { batch } from 'tfjs-style-transfer/batch';

const [folder, style, output, size = '256'] = process.argv.slice(2);
if (!output) {
  console.error('usage: batch.ts FOLDER STYLE OUTPUT [size]');
  process.exit(2);
}
const pictures = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|tiff?)$/i.test(name)).sort();

const records = batch({
  contents: pictures.map((name) => join(folder, name)),
  styles: [style],
  name: '{content}',
  output,
  settings: { size: Number(size), iterations: 50 },
});
for await (const record of records) {
  if (record.state === 'failed') {
    console.error(`${record.content}: ${record.error.message}`);
    process.exitCode = 1;
  } else console.log(`${record.output} (${record.state}, ${record.seconds.toFixed(1)} s)`);
}
