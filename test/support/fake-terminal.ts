import type { StopSignal, Terminal } from '../../src/cli/terminal';

/** A terminal that remembers what was written to it, and whose Ctrl-C a test presses. */
export function fakeTerminal({
  isTTY = false,
  columns = 80,
  env = {} as Record<string, string>,
  /** Contents of stdin; without it, stdin is a terminal. */
  stdin = undefined as Uint8Array | undefined,
} = {}) {
  const listeners = new Set<(signal: StopSignal) => void>();
  const written = { stdout: '', stderr: '', bytes: [] as Uint8Array[] };
  const output = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns,
    write(text: string) {
      written[name] += text;
    },
  });
  const terminal: Terminal = {
    stdin: {
      isTTY: stdin === undefined,
      async *read(signal) {
        signal.throwIfAborted();
        // In pieces, as a pipe gives them.
        for (let i = 0; i < (stdin?.length ?? 0); i += 1000)
          yield (stdin as Uint8Array).subarray(i, i + 1000);
      },
    },
    stdout: {
      ...output('stdout'),
      async deliver(content) {
        if (typeof content === 'string') written.stdout += content;
        else written.bytes.push(content);
      },
    },
    stderr: output('stderr'),
    env,
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    terminal,
    written,
    /** Presses Ctrl-C. */
    stop(signal: StopSignal = 'SIGINT') {
      for (const listener of [...listeners]) listener(signal);
    },
    listeners,
  };
}
