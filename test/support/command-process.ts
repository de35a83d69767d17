import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { bundlePrograms } from './bundled-command';

/** How a process of the command ended, and what it wrote. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Programs that tests start. They are bundled once for each file of tests. */
const programs = {
  main: 'src/cli/main.ts',
  'pool-worker': 'src/batch/pool/pool-worker.ts',
  'busy-program': 'test/support/busy-program.ts',
  'training-program': 'test/support/training-program.ts',
};
const folder = await bundlePrograms({ entryPoints: programs });

/** A command line that runs the command, or another program of tests, from its sources. */
export function commandLine(
  args: readonly string[],
  program: keyof typeof programs = 'main',
): [string, ...string[]] {
  return [process.execPath, join(folder, `${program}.js`), ...args];
}

/**
 * Starts the command, or another program of tests, in a process of its own.
 *
 * @param args arguments of the command
 */
export function startCommand(
  args: readonly string[],
  {
    stdio = ['ignore', 'pipe', 'pipe'] as StdioOptions,
    env = {} as Readonly<Record<string, string>>,
    program = 'main' as keyof typeof programs,
  } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended>; stderr(): string } {
  const [file, ...rest] = commandLine(args, program);
  const child = spawn(file, rest, { stdio, env: { ...process.env, ...env } });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
  });
  // Not 'close': a test may close a pipe itself.
  const ended = new Promise<Ended>((done) => {
    child.once('exit', (code, signal) => {
      const pipes = [child.stdout, child.stderr].filter((pipe) => pipe && !pipe.closed);
      const closed = pipes.map((pipe) => new Promise((close) => pipe?.once('close', close)));
      void Promise.all(closed).then(() => done({ code, signal, stdout: Buffer.concat(stdout), stderr }));
    });
  });
  return { child, ended, stderr: () => stderr };
}

/** Resolves when what a process has written so far passes a test. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 20));
}
