import { createWriteStream, fstatSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Where a command's text goes. */
export interface Output {
  /** Writes text as far as that is possible. A closed pipe or a full disk drops it: progress is not worth a run. */
  write(text: string): unknown;
  /** Set on terminals, which can show a line that changes. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Where a command's result goes. */
export interface ResultOutput extends Output {
  /** Writes all of it. Rejects with the system's error, such as EPIPE or ENOSPC, where that is not possible. */
  deliver(content: string | Uint8Array): Promise<void>;
}

/** Where `-` reads from. */
export interface Input {
  readonly isTTY?: boolean | undefined;
  /** What arrives, until the other side closes it. Throws the signal's reason when it is aborted. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The signals that ask the program to stop: Ctrl-C, `kill`, and the end of the terminal or connection. */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One of {@link stopSignals}. */
export type StopSignal = (typeof stopSignals)[number];

/** All that a command sees of the process that it runs in. */
export interface Terminal {
  readonly stdin: Input;
  /** Results. */
  readonly stdout: ResultOutput;
  /** Progress, warnings and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Calls `listener` at the first request to stop. The second ends the process at once, whatever it is doing. Until the function that
   * this returns is called.
   */
  onStop(listener: (signal: StopSignal) => void): () => void;
}

/** Whether an output shows colours: terminals do, unless NO_COLOR (no-color.org) is set. */
export function hasColors(output: Output, { NO_COLOR }: Terminal['env']): boolean {
  return output.isTTY === true && !NO_COLOR;
}

/** The process itself. */
export function processTerminal(): Terminal {
  return {
    stdin: processInput,
    stdout: Object.assign(lenient(process.stdout), { deliver }),
    stderr: lenient(process.stderr),
    env: process.env,
    onStop,
  };
}

const processInput: Input = {
  get isTTY() {
    return process.stdin.isTTY;
  },
  async *read(signal) {
    try {
      yield* addAbortSignal(signal, process.stdin);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};

function lenient(stream: NodeJS.WriteStream): Output {
  // Errors of pipes arrive as events, and an event that nobody listens to ends the process.
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  return {
    write(text) {
      if (stream.errored || stream.destroyed) return;
      try {
        stream.write(text);
      } catch {
        // Errors of files are thrown.
      }
    },
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns;
    },
  };
}

const ignore = () => {};

async function deliver(content: string | Uint8Array): Promise<void> {
  const { stdout } = process;
  // Node's own stream for files takes a disk that fills up in the middle of a write for success.
  if (isFile(stdout.fd))
    return pipeline([content], createWriteStream('', { fd: stdout.fd, autoClose: false }));
  await new Promise<void>((resolve, reject) => {
    stdout.write(content, (error) => (error ? reject(error) : resolve()));
  });
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** One press can arrive twice within a moment: npm and npx pass on what the terminal has already sent to everyone. */
const samePressMilliseconds = 250;

function onStop(listener: (signal: StopSignal) => void): () => void {
  let heard = false;
  const hear = (signal: StopSignal) => {
    if (heard) return;
    heard = true;
    setTimeout(letGo, samePressMilliseconds).unref();
    listener(signal);
  };
  // Without a listener the system ends the process itself, which works however busy the program is. A second SIGHUP is no request of
  // its own: the shell and the system both send one where a terminal closes.
  const letGo = () => void process.off('SIGINT', hear).off('SIGTERM', hear);
  for (const signal of stopSignals) process.on(signal, hear);
  return () => {
    letGo();
    process.off('SIGHUP', hear);
  };
}
