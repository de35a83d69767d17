import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { EnvironmentError } from '../../errors';
import { showText, showValue } from '../../options/show';

/** A process of ffmpeg. */
export interface Ffmpeg {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves with what it printed about problems when it has succeeded. @throws {@link FfmpegFailed} */
  readonly done: Promise<string>;
  /** Ends it at once. Safe to call twice. */
  kill(): void;
}

/** ffmpeg ended with an error; the message is its own last words. */
export class FfmpegFailed extends Error {}

/** Characters of what ffmpeg prints that are kept. */
const mostText = 4000;

/**
 * Starts ffmpeg, found on the PATH or at FFMPEG_PATH. It reads local files only.
 *
 * @param signal kills it; then `done` rejects with the signal's reason
 */
export function startFfmpeg(args: readonly string[], signal?: AbortSignal): Ffmpeg {
  const program = process.env.FFMPEG_PATH || 'ffmpeg';
  const child = spawn(program, ['-hide_banner', '-nostdin', '-v', 'error', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const kill = () => void child.kill('SIGKILL');
  const done = ended(child, program, signal);
  if (signal?.aborted) kill();
  else signal?.addEventListener('abort', kill, { once: true });
  const forget = () => signal?.removeEventListener('abort', kill);
  done.then(forget, forget);
  // What is written to a process that has ended fails; `done` says why it has ended.
  child.stdin.on('error', () => {});
  return { stdin: child.stdin, stdout: child.stdout, done, kill };
}

function ended(child: ChildProcess, program: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-mostText);
    });
    child.on('error', (cause: NodeJS.ErrnoException) => reject(noFfmpeg(program, cause)));
    child.on('close', (code, killedBy) => {
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve(text.trim());
      else reject(new FfmpegFailed(lastWords(text) || `ffmpeg ended with ${code ?? killedBy}`));
    });
  });
}

/** The last lines of what ffmpeg printed, in one. */
export const lastWords = (text: string): string =>
  showText(text.trim().split(/\r?\n/).slice(-2).join('; '), 400);

function noFfmpeg(program: string, cause: NodeJS.ErrnoException): EnvironmentError {
  const accepted =
    'ffmpeg on the PATH, or at the path in the environment variable FFMPEG_PATH; to install it: ' +
    'apt install ffmpeg, brew install ffmpeg, or winget install ffmpeg';
  const reason =
    cause.code === 'ENOENT' ? 'is not there' : `does not start (${showText(cause.code ?? cause.message)})`;
  return new EnvironmentError(
    'NO_FFMPEG',
    `Films need the program ffmpeg, and ${showValue(program)} ${reason}; accepted: ${accepted}.`,
    { option: 'FFMPEG_PATH', value: program, accepted, cause },
  );
}

/** A file as ffmpeg's input: local files alone, whatever it names and whatever a playlist in it names. */
export const inputFile = (path: string): readonly string[] => [
  '-protocol_whitelist',
  'file,pipe',
  '-i',
  `file:${path}`,
];
