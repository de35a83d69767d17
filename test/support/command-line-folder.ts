import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line';
import { fakeTerminal } from './fake-terminal';

/** Flags of a run that takes a moment, on the network that is always there. */
export const quick = ['--weights', 'embedded', '--size', '32', '--iterations', '3', '--threads', '1'];

/**
 * A folder with `content.png` (48 x 36) and `style.jpg` (40 x 40), made anew for every test of a file; the pictures are
 * drawn once.
 * @returns the path of a name in it
 */
export function pictureFolder(): (name?: string) => string {
  let folder = '';
  let [content, style] = [Buffer.of(), Buffer.of()];
  beforeAll(async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
    const picture = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: '#888', noise } });
    [content, style] = await Promise.all([
      picture(48, 36).png().toBuffer(),
      picture(40, 40).jpeg().toBuffer(),
    ]);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'command-line-'));
    await writeFile(join(folder, 'content.png'), content);
    await writeFile(join(folder, 'style.jpg'), style);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  return (name = '') => join(folder, name);
}

/** Runs the command on a terminal that remembers. */
export async function runCommand(args: readonly string[], fake = fakeTerminal()) {
  const code = await runCommandLine(args, fake.terminal);
  return { code, ...fake.written };
}
