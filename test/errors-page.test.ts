import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes, warningCodes } from '../scripts/docs/error-codes';
import { errorsPage } from '../scripts/docs/errors-page';

const root = resolve(import.meta.dirname, '..');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && name !== 'error-codes.ts')
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');

describe('docs/errors.md', () => {
  it('is what the table of codes says; `npm run docs:errors` writes it', () => {
    expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(errorsPage());
  });

  it('lists no code that nothing raises', () => {
    const unused = [...Object.keys(errorCodes), ...Object.keys(warningCodes)].filter(
      (code) => !sources.includes(`'${code}'`),
    );
    expect(unused).toEqual([]);
  });

  it('names the class that each code is raised with', () => {
    const wrong = [...sources.matchAll(/new (\w+Error)\(\s*'([A-Z_]+)'/g)].filter(
      ([, name, code]) => !(errorCodes[code as keyof typeof errorCodes]?.classes as string[])?.includes(name),
    );
    expect(wrong.map(([text]) => text)).toEqual([]);
  });

  it('has every warning that is sent', () => {
    const sent = [...sources.matchAll(/(?:warn|onWarning\??\.?)\(\{\s*code: '([A-Z_]+)'/g)].map(
      ([, code]) => code,
    );
    expect(sent.filter((code) => !(code in warningCodes))).toEqual([]);
  });
});
