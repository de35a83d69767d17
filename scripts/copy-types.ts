/**
 * Part of `npm run build`: declarations for CommonJS, `.d.cts`, are those of the ES modules with the names of each
 * other changed. To have tsup make them a second time would double the time of the build.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const dist = resolve(import.meta.dirname, '../dist');
for (const name of readdirSync(dist).filter((file) => file.endsWith('.d.ts'))) {
  const text = readFileSync(resolve(dist, name), 'utf8');
  const renamed = text.replace(/(from |import\(|import )(['"])(\.\/[^'"]+)\.js\2/g, '$1$2$3.cjs$2');
  writeFileSync(resolve(dist, name.replace(/\.d\.ts$/, '.d.cts')), renamed);
}
