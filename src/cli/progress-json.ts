import { printable } from './printable';
import type { ProgressDisplay } from './progress';
import type { Output } from './terminal';

/** Every event as one line of JSON, for programs. */
export function progressJson(output: Output): ProgressDisplay {
  const write = (value: object) => void output.write(jsonLine(value));
  return {
    show(event) {
      if (event.type === 'interrupted') {
        const { type, loss, evaluations } = event;
        write({ type, loss, evaluations });
      } else write(event);
    },
    line: (message) => write({ type: 'notice', message }),
    end() {},
  };
}

/** A value as one line of JSON, safe to print on a terminal. */
export const jsonLine = (value: object) => printable(`${JSON.stringify(value)}\n`);
