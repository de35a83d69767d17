/**
 * `npm run check:columns`: no line of documentation or of a comment is longer than 120 columns. Code is the formatter's
 * business, and tables and addresses cannot be wrapped.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const widest = 120;
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => /\.(md|ts|mjs|cjs|py|sh)$/.test(name) || name === '.ci/run');

let long = 0;
for (const file of files) {
  const markdown = file.endsWith('.md');
  let fenced = false;
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.startsWith('```')) fenced = !fenced;
    if ([...line].length <= widest || /https?:\/\/\S{40,}/.test(line)) continue;
    const prose = markdown ? !fenced && !/^\s*\|/.test(line) : /^\s*(\/\/|\/\*|\*|#)/.test(line);
    if (!prose) continue;
    console.log(`${file}:${i + 1}: ${[...line].length} columns`);
    long++;
  }
}
if (long > 0) console.log(`${long} lines of prose are longer than ${widest} columns`);
process.exitCode = long > 0 ? 1 : 0;
