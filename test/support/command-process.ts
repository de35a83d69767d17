import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** How a process of the command ended, and what it wrote. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A command line that runs the command, or another program of this repository, from its sources unless it is a bundle. */
export function commandLine(args: readonly string[], program = 'src/cli/main.ts'): [string, ...string[]] {
  const hooks = ['--import', resolve('scripts/binary-hooks.mjs'), '--import', 'tsx'];
  return [process.execPath, ...(program.endsWith('.js') ? [] : hooks), resolve(program), ...args];
}

/**
 * Starts the command, or another program of this repository, in a process of its own.
 *
 * @param args arguments of the command
 */
export function startCommand(
  args: readonly string[],
  {
    stdio = ['ignore', 'pipe', 'pipe'] as StdioOptions,
    env = {} as Readonly<Record<string, string>>,
    program = 'src/cli/main.ts',
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
