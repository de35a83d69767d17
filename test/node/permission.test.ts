import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bundleText } from '../support/bundled-command';

/** Paints with the options in its first argument, and prints engine, threads and warnings, or the error. */
const program = `
  import { styleTransfer } from ${JSON.stringify(resolve('src/node/index.ts'))};
  const pixels = { data: new Uint8Array(20 * 16 * 3).fill(99), width: 20, height: 16, channels: 3 };
  const warnings = [];
  try {
    const { engine, threads } = await styleTransfer(pixels, pixels, {
      weights: 'embedded',
      iterations: 1,
      ...JSON.parse(process.argv[2]),
      onProgress: (event) => event.type === 'warning' && warnings.push(event),
    });
    console.log(JSON.stringify({ engine, threads, warnings }));
  } catch ({ code, message }) {
    console.log(JSON.stringify({ code, message }));
  }`;

// A bundle, because tsx needs a worker itself.
const bundled = await bundleText(program);

/** Node 20 has the permission model as an experiment. */
const flag = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

async function paint(options: object): Promise<Record<string, unknown>> {
  const args = ['--no-warnings', flag, '--allow-fs-read=*', bundled, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return JSON.parse(stdout);
}

describe('under the permission model of Node, which forbids workers', () => {
  test('one thread paints, and a warning says why', async () => {
    const { engine, threads, warnings } = await paint({});
    expect({ engine, threads }).toEqual({ engine: 'wasm', threads: 1 });
    const { availableParallelism } = await import('node:os');
    if (availableParallelism() > 1)
      expect(warnings).toMatchObject([
        { code: 'THREADS_UNAVAILABLE', message: expect.stringMatching(/restricted/) },
      ]);
  });

  test('threads that were asked for are refused with the reason', async () => {
    expect(await paint({ threads: 4 })).toMatchObject({
      code: 'THREADS_UNAVAILABLE',
      message: expect.stringMatching(/restricted/),
    });
  });
});
