import type { StyleTransferProgress } from '../transfer/progress';
import type { ProgressDisplay } from './progress';
import type { Output } from './terminal';

/** Every event as one line of JSON, for programs. */
export function progressJson(output: Output): ProgressDisplay {
  const write = (value: object) => void output.write(`${JSON.stringify(value)}\n`);
  return {
    show(event: StyleTransferProgress) {
      if (event.type === 'interrupted') {
        const { type, loss, evaluations } = event;
        write({ type, loss, evaluations });
      } else write(event);
    },
    line: (message) => write({ type: 'notice', message }),
    end() {},
  };
}
