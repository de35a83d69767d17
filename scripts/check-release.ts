/**
 * `tsx scripts/check-release.ts v1.2.3`: fails unless the tag, package.json and a dated section of CHANGELOG.md name
 * the same version. The release workflow runs it before anything is published.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const tag = process.argv[2] ?? '';
const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
const changelog = readFileSync(resolve(root, 'CHANGELOG.md'), 'utf8');

const problems = [
  ...(tag === `v${version}` ? [] : [`the tag is ${tag}, package.json says ${version}`]),
  ...(new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(changelog)
    ? []
    : [`CHANGELOG.md has no dated section for ${version}`]),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
