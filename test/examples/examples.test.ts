import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The programs of examples/, as they stand, against the built package, on small pictures and the embedded network. */
const env = { ...process.env, TFJS_STYLE_TRANSFER_WEIGHTS: 'embedded' };
/** By its address, because the programs run in another folder. */
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const program = (name: string) => ['--import', tsx, resolve(`examples/${name}.ts`)];

describe.skipIf(!existsSync('dist/node.js'))('examples', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'examples-'));
    mkdirSync(join(folder, 'photos'));
    for (const name of ['photos/a.png', 'photos/b.jpg', 'style.png']) {
      const pixels = Uint8Array.from(
        { length: 40 * 32 * 3 },
        (_, i) => (i * (7 + name.length) + ((i * i) >> 6)) & 255,
      );
      await sharp(pixels, { raw: { width: 40, height: 32, channels: 3 } })
        .blur(1.5)
        .toFile(join(folder, name));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (name: string, words: readonly string[]) =>
    spawnSync(process.execPath, [...program(name), ...words], {
      cwd: folder,
      encoding: 'utf8',
      env,
      timeout: 200_000,
    });

  it('batch paints a folder, and reports a picture that it cannot read', () => {
    writeFileSync(join(folder, 'photos/broken.png'), 'no picture');
    const { stdout, stderr, status } = run('batch', ['photos', 'style.png', 'out', '32']);
    expect(stderr).toMatch(/^photos.broken\.png: content /);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(status).toBe(1);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['a.png', 'b.png', 'manifest.jsonl']);
  });

  it('custom-loss checks its gradient, paints, and prints the terms', () => {
    const { stdout, stderr, status } = run('custom-loss', ['photos/a.png', 'style.png', 'warm.png']);
    expect(stderr).not.toMatch(/Error/);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^warm\.png: \{[\s\S]*warmth/);
    expect(existsSync(join(folder, 'warm.png'))).toBe(true);
  });

  it('metric-report prints a table', () => {
    const { stdout, stderr, status } = run('metric-report', ['photos/a.png', 'style.png', '32']);
    expect(stderr).not.toMatch(/Error/);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(5);
    expect(stdout).toMatch(/^\| li2021 \| -?\d\.\d{4} \|/m);
  });
});
