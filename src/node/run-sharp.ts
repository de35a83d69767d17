import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { untilAborted } from '../until-aborted';
import { loadSharp } from './load-sharp';

/** A call of sharp's pipeline: the name of the method and its arguments. */
export type Call = readonly [method: string, ...parameters: unknown[]];

/** A run of sharp's pipeline as data, for this process or a separate one. */
export interface SharpRun {
  /** An encoded image, or pixels that `options.raw` describes. */
  readonly bytes: Uint8Array;
  readonly options: SharpOptions;
  readonly calls: readonly Call[];
}

/** The output of a pipeline: an encoded image, or pixels, row-major, of 8 or 16 bits. */
export interface SharpOutput {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** Limits of a process. */
export interface ProcessLimits {
  readonly seconds?: number;
  readonly bytes?: number;
}

/** A separate process cannot be started here, or did not answer by the protocol. */
export class NoProcess extends Error {}

/** A process exceeded its limit of time or memory. */
export class LimitExceeded extends Error {}

/**
 * Runs of more pixels use a separate process if possible: sharp cannot be interrupted, and keeps a program from ending.
 */
const longRunPixels = 2 ** 22;

/**
 * Runs sharp so that neither an abort nor the end of the program waits for it.
 * @param pixels number of pixels of the image, as a measure of work
 */
export async function runSharp(run: SharpRun, pixels: number, signal?: AbortSignal): Promise<SharpOutput> {
  if (pixels <= longRunPixels) return runHere(run, signal);
  try {
    return await runApart(run, {}, signal);
  } catch (error) {
    if (error instanceof NoProcess) return runHere(run, signal);
    throw error;
  }
}

/** Runs sharp in this process. An abort rejects at once, but sharp continues in the background until it is done. */
export async function runHere(run: SharpRun, signal?: AbortSignal): Promise<SharpOutput> {
  const sharp = await loadSharp();
  let image = sharp(run.bytes, run.options) as Sharp & Record<string, (...parameters: unknown[]) => Sharp>;
  for (const [method, ...parameters] of run.calls) image = image[method](...parameters) as typeof image;
  const { data, info } = await untilAborted(signal, image.toBuffer({ resolveWithObject: true }));
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Runs sharp in a separate process, which is killed by an abort or at a limit. */
export async function runApart(
  run: SharpRun,
  limits: ProcessLimits = {},
  signal?: AbortSignal,
): Promise<SharpOutput> {
  const { head, body } = await ask('output', run, limits, signal);
  const { width, height, channels } = head as Omit<SharpOutput, 'data'>;
  return { data: body, width, height, channels };
}

/** The metadata of a file, read by sharp in a separate process. */
export async function metadataApart(
  bytes: Uint8Array,
  options: SharpOptions,
  limits: ProcessLimits,
  signal?: AbortSignal,
): Promise<Metadata> {
  return (await ask('metadata', { bytes, options, calls: [] }, limits, signal)).head as Metadata;
}

interface Answer {
  readonly head: object;
  readonly body: Uint8Array;
}

async function ask(
  work: 'output' | 'metadata',
  { bytes, options, calls }: SharpRun,
  { seconds, bytes: memory }: ProcessLimits,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  signal?.throwIfAborted();
  // Throws the error that says what to install, before the process fails without sharp.
  await loadSharp();
  const child = start(JSON.stringify({ work, options, calls, memory: memory ?? null }));
  const kill = () => void child.kill('SIGKILL');
  let outOfTime = false;
  const timer =
    seconds === undefined
      ? undefined
      : setTimeout(() => {
          outOfTime = true;
          kill();
        }, seconds * 1000);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const [answer, killedBy] = await Promise.all([answerOf(child), exitOf(child), feed(child, bytes)]);
    signal?.throwIfAborted();
    if (outOfTime) throw new LimitExceeded(`takes longer than ${seconds} s`);
    // The process kills itself above its limit of memory; the system kills it when memory is exhausted.
    if (memory !== undefined && killedBy === 'SIGKILL')
      throw new LimitExceeded(`takes more than ${Math.round(memory / 2 ** 20)} MiB of memory`);
    if (answer === undefined) throw new NoProcess('The process of sharp ended without an answer.');
    if ('error' in answer.head) throw new Error(String(answer.head.error));
    return answer;
  } finally {
    kill();
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

function start(job: string): ChildProcess {
  try {
    // Flags for Node that concern the program itself, such as --input-type=module, would break the script.
    const env = { ...process.env, NODE_OPTIONS: '', ELECTRON_RUN_AS_NODE: '1' };
    const sharp = createRequire(import.meta.url).resolve('sharp');
    return spawn(process.execPath, ['-e', script, sharp, job], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  } catch (cause) {
    throw new NoProcess('No process can be started here.', { cause });
  }
}

/** Sends the file. Write errors are ignored: if the process ends early, its answer gives the reason. */
function feed({ stdin }: ChildProcess, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stdin?.on('error', () => resolve());
    stdin?.end(bytes, () => resolve());
  });
}

/** The signal that ended a process, if one did. */
function exitOf(child: ChildProcess): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new NoProcess('No process can be started here.', { cause })));
    child.once('close', (_code, killedBy) => resolve(killedBy));
  });
}

/** Reads the answer: a line of JSON, then as many bytes as it states. Undefined if the process ended before. */
async function answerOf({ stdout }: ChildProcess): Promise<Answer | undefined> {
  let head: { readonly length: number } | undefined;
  let line = Buffer.alloc(0);
  let body = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of (stdout ?? []) as AsyncIterable<Buffer>) {
    let rest = chunk;
    if (head === undefined) {
      line = Buffer.concat([line, chunk]);
      const end = line.indexOf('\n');
      if (end < 0) continue;
      head = JSON.parse(line.toString('utf8', 0, end)) as { length: number };
      body = Buffer.alloc(head.length);
      rest = line.subarray(end + 1);
    }
    filled += rest.copy(body, filled);
  }
  return head === undefined || filled < head.length ? undefined : { head, body };
}

/**
 * The program of the process: CommonJS, run by `node -e`. While sharp works in its threads, the event loop checks the
 * memory and whether the parent still lives. It ignores Ctrl-C, which a terminal sends to it too, because the parent
 * handles it.
 */
const script = `
'use strict';
const [, path, job] = process.argv;
const { work, options, calls, memory } = JSON.parse(job);
const parent = process.ppid;
for (const name of ['SIGINT', 'SIGHUP']) process.on(name, () => {});
setInterval(() => {
  if (memory !== null && process.memoryUsage.rss() > memory) process.kill(process.pid, 'SIGKILL');
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 50).unref();
const answer = (head, body = Buffer.alloc(0)) =>
  process.stdout.write(JSON.stringify({ ...head, length: body.length }) + '\\n', () => process.stdout.end(body));
const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', async () => {
  try {
    const loaded = require(path);
    let image = (loaded.default ?? loaded)(Buffer.concat(chunks), options);
    if (work === 'metadata') {
      const { icc, exif, iptc, xmp, tifftagPhotoshop, comments, ...rest } = await image.metadata();
      return answer(rest);
    }
    for (const [method, ...parameters] of calls) image = image[method](...parameters);
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    answer({ width: info.width, height: info.height, channels: info.channels }, data);
  } catch (error) {
    answer({ error: error.message });
  }
});
`;
