import { execFileSync } from 'node:child_process';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readImage } from '../../src/node/read-image';
import { openFile } from '../../src/node/read-pixels';
import { LimitExceeded, runApart, runHere, runSharp } from '../../src/node/run-sharp';

/** An SVG of 2 kB that draws 10^8 squares. */
function bomb(): Buffer {
  const levels = Array.from(
    { length: 8 },
    (_, i) => `<g id="a${i + 1}" opacity="0.9">${`<use href="#a${i}" x="1"/>`.repeat(10)}</g>`,
  );
  const square = '<g id="a0"><rect width="900" height="900" fill="red" opacity="0.01"/></g>';
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="2000"><defs>${square}${levels.join('')}</defs><use href="#a8"/></svg>`,
  );
}

const pixels = { options: {}, calls: [['toColourspace', 'srgb'], ['raw']] } as const;

/** Processes of sharp that this one has started. */
const children = () =>
  execFileSync('ps', ['-o', 'args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('"work":"output"'));

describe('a process of its own', () => {
  test('gives what this one gives', async () => {
    const bytes = await sharp({ create: { width: 30, height: 20, channels: 4, background: '#12345678' } })
      .png()
      .toBuffer();
    const request = {
      bytes,
      options: {},
      calls: [
        ['resize', 15, 10],
        ['raw', { depth: 'uchar' }],
      ],
    } as const;
    expect(await runApart(request)).toEqual(await runHere(request));
  });

  test('says what sharp says of a damaged file', async () => {
    const request = { bytes: Buffer.from('<svg'), ...pixels };
    const message = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);
    expect(await message(runApart(request))).toBe(await message(runHere(request)));
  });

  test('is ended when it takes too long, or too much memory', async () => {
    const work = runApart({ bytes: bomb(), ...pixels }, { seconds: 1 });
    await expect(work).rejects.toThrow('takes longer than 1 s');
    const greedy = runApart({ bytes: bomb(), ...pixels }, { bytes: 2 ** 24 });
    await expect(greedy).rejects.toThrow(LimitExceeded);
    expect(children()).toEqual([]);
  });

  test('is ended by an abort, at once', async () => {
    const controller = new AbortController();
    const file = await openFile('image', bomb(), controller.signal);
    expect(file).toMatchObject({ width: 2000, height: 2000 });
    await expectEndedByAbort(file.readPixels({ longerSide: 1000 }), controller);
  });
});

test('a long encoding is ended by an abort, at once', async () => {
  const [width, height] = [3000, 2000];
  const bytes = new Uint8Array(width * height * 3).map((_, i) => (i * 2654435761) >>> 24);
  const encoding = {
    bytes,
    options: { raw: { width, height, channels: 3 } },
    calls: [['toFormat', 'avif', { quality: 92 }]],
  } as const;
  const controller = new AbortController();
  await expectEndedByAbort(runSharp(encoding, width * height, controller.signal), controller);
});

/** Aborts work of a child process half a second after its start; expects both to end within another half. */
async function expectEndedByAbort(work: Promise<unknown>, controller: AbortController): Promise<void> {
  const outcome = work.catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(children()).toHaveLength(1);
  const start = performance.now();
  controller.abort(new Error('enough'));
  expect(await outcome).toEqual(new Error('enough'));
  expect(performance.now() - start).toBeLessThan(500);
  expect(children()).toEqual([]);
}

test('an SVG larger than 16 MiB is refused before it is parsed', async () => {
  const long = Buffer.alloc(2 ** 24 + 1, ' ');
  long.write('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3">');
  await expect(readImage(long)).rejects.toMatchObject({ name: 'ImageError', code: 'TOO_LARGE' });
});
