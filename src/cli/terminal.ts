import { createWriteStream, fstatSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A destination of a command's text. */
export interface Output {
  /** Writes text. Never throws: text that cannot be written, to a closed pipe or a full disk, is dropped. */
  write(text: string): unknown;
  /** True on terminals, where a line can be drawn over. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A destination of a command's result. */
export interface ResultOutput extends Output {
  /** Writes all of `content`. @throws the system's error, such as EPIPE or ENOSPC */
  deliver(content: string | Uint8Array): Promise<void>;
}

/** Stdin. */
export interface Input {
  readonly isTTY?: boolean | undefined;
  /** Its bytes, to the end. @throws the signal's reason when it is aborted */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The signals that ask the program to stop: Ctrl-C, `kill`, and the end of the terminal or connection. */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One of {@link stopSignals}. */
export type StopSignal = (typeof stopSignals)[number];

/** The process that a command runs in, as far as commands use it. Tests replace it. */
export interface Terminal {
  readonly stdin: Input;
  /** Results. */
  readonly stdout: ResultOutput;
  /** Progress, warnings and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Calls `listener` at the first request to stop. The second request ends the process at once.
   * @returns a function that ends both
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
  // Pipes report errors as events. Without a listener, Node ends the process.
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  return {
    write(text) {
      if (stream.errored || stream.destroyed) return;
      try {
        stream.write(text);
      } catch {
        // Files report errors by exceptions.
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
  // process.stdout on a file ignores partial writes, which happen when a disk fills up.
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

/** Signals within this time count as one: npm and npx forward Ctrl-C, which the terminal has sent to all already. */
const samePressMilliseconds = 250;

function onStop(listener: (signal: StopSignal) => void): () => void {
  let heard = false;
  const hear = (signal: StopSignal) => {
    if (heard) return;
    heard = true;
    setTimeout(letGo, samePressMilliseconds).unref();
    listener(signal);
  };
  // Without a listener the system ends the process, also during synchronous work. SIGHUP keeps its listener: when a
  // terminal closes, both the shell and the system send one.
  const letGo = () => void process.off('SIGINT', hear).off('SIGTERM', hear);
  for (const signal of stopSignals) process.on(signal, hear);
  return () => {
    letGo();
    process.off('SIGHUP', hear);
  };
}
