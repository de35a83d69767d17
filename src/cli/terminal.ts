/** Where a command's text goes. */
export interface Output {
  write(text: string): unknown;
  /** Set on terminals, which can show a line that changes. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A signal that asks the program to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** All that a command sees of the process that it runs in. */
export interface Terminal {
  /** Results. */
  readonly stdout: Output;
  /** Progress, warnings and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` at every Ctrl-C or request to stop, until the function that it returns is called. */
  onStop(listener: (signal: StopSignal) => void): () => void;
  /** Ends the program at once. */
  exit(code: number): void;
}

/** Whether an output shows colours: terminals do, unless NO_COLOR (no-color.org) is set. */
export function hasColors(output: Output, { NO_COLOR }: Terminal['env']): boolean {
  return output.isTTY === true && !NO_COLOR;
}

/** The process itself. */
export const processTerminal: Terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onStop(listener) {
    process.on('SIGINT', listener).on('SIGTERM', listener);
    return () => process.off('SIGINT', listener).off('SIGTERM', listener);
  },
  exit: (code) => process.exit(code),
};
