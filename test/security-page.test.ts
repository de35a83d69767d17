import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

it('SECURITY.md names tests that exist', () => {
  const page = readFileSync(resolve(root, 'SECURITY.md'), 'utf8');
  const named = [...page.matchAll(/`(test\/[\w./-]+\.test\.ts)`:\s+"([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter(([, file, name]) => {
    const path = resolve(root, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(name);
  });
  expect(missing.map(([text]) => text)).toEqual([]);
});
