import type { StopSignal, Terminal } from '../../src/cli/terminal';

/** A terminal that remembers what was written to it, and whose Ctrl-C a test presses. */
export function fakeTerminal({ isTTY = false, columns = 80, env = {} as Record<string, string> } = {}) {
  const listeners = new Set<(signal: StopSignal) => void>();
  const written = { stdout: '', stderr: '', exits: [] as number[] };
  const output = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns,
    write(text: string) {
      written[name] += text;
    },
  });
  const terminal: Terminal = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => void written.exits.push(code),
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
