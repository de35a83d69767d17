import colors from 'picocolors';
import type { BatchRecord } from '../../batch/job';
import type { BatchProgress, JobStepEvent } from '../../batch/painter';
import { printable } from '../printable';
import { duration } from '../progress';
import { jsonLine } from '../progress-json';
import { hasColors, type Output, type Terminal } from '../terminal';

/** Shows how far a batch is. */
export interface BatchDisplay {
  show(event: BatchProgress): void;
  /** A picture is done. */
  record(record: BatchRecord): void;
  /** Writes a line of its own. */
  line(text: string): void;
  end(): void;
}

/** A bar for the whole and a line for each running picture on terminals, JSON lines elsewhere and with `--json`. */
export function batchDisplay(
  { stderr, env }: Terminal,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
): BatchDisplay {
  if (quiet) return { show() {}, record() {}, line() {}, end() {} };
  return stderr.isTTY && !json ? bars(stderr, env) : jsonLines(stderr);
}

/** Milliseconds between two steps of a picture that are told. */
const pause = 1000;

function jsonLines(output: Output, now = () => performance.now()): BatchDisplay {
  const write = (value: object) => void output.write(jsonLine(value));
  const due = new Map<string, number>();
  return {
    show(event) {
      if (event.type === 'batch' || event.type === 'pool') return write(event);
      const { job, ...rest } = event;
      if (event.type === 'step') {
        if (now() < (due.get(job.id) ?? 0)) return;
        due.set(job.id, now() + pause);
      }
      const { type, ...facts } = rest;
      write({ type, picture: job.output, ...facts });
    },
    record(record) {
      due.delete(record.id);
      const { output, state, seconds } = record;
      const error = record.state === 'failed' ? record.error : undefined;
      write({ type: 'picture', picture: output, state, seconds, error });
    },
    line: (message) => write({ type: 'notice', message }),
    end() {},
  };
}

/** Pictures that have a line of their own. */
const mostLines = 16;

/** Milliseconds between two drawings. */
const drawingPause = 100;

function bars(output: Output, env: Terminal['env'], now = () => performance.now()): BatchDisplay {
  const { green, dim, red } = colors.createColors(hasColors(output, env));
  const running = new Map<string, JobStepEvent>();
  const begun = now();
  const told = new Set<string>();
  let [jobs, kept, ended, failed] = [0, 0, 0, 0];
  let drawn = 0;
  let nextAt = 0;

  const clear = () => {
    if (drawn > 0) output.write(`${drawn > 1 ? `\x1b[${drawn - 1}A` : ''}\r\x1b[J`);
    drawn = 0;
  };
  const whole = (columns: number): string => {
    const part = [...running.values()].reduce((sum, { done }) => sum + done, 0);
    const painted = ended + part;
    const left = jobs - kept - painted;
    const seconds = painted > 0 ? ((now() - begun) / 1000 / painted) * left : undefined;
    const words = [
      `${kept + ended} of ${jobs}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(seconds === undefined ? [] : [`${duration(seconds)} left`]),
    ].join('  ');
    const cells = Math.max(0, Math.min(30, columns - words.length - 2));
    const filled = jobs === 0 ? 0 : Math.round(((kept + painted) / jobs) * cells);
    const bar = `${green('█'.repeat(filled))}${dim('░'.repeat(cells - filled))}`;
    const shown = failed > 0 ? words.replace(/\d+ failed/, (text) => red(text)) : words;
    return cells > 0 ? `${bar}  ${shown}` : words.slice(0, columns);
  };
  const draw = () => {
    nextAt = now() + drawingPause;
    // The last column stays free: some terminals wrap when it is written to.
    const columns = (output.columns ?? 80) - 1;
    const lines = [...running.values()].slice(0, mostLines).map((event) => printable(describe(event)));
    const more = running.size - lines.length;
    if (more > 0) lines.push(`  and ${more} more`);
    const text = [whole(columns), ...lines.map((line) => line.slice(0, columns))];
    clear();
    output.write(text.join('\n'));
    drawn = text.length;
  };
  return {
    show(event) {
      if (event.type === 'batch') ({ jobs, kept } = event);
      if (event.type === 'warning') {
        // Every picture differs from the one whose settings all repeat, most of them in the same way.
        const again = event.code === 'SETTINGS_DIFFER' && told.has(event.message);
        told.add(event.message);
        if (!again) this.line(`${event.job.output}: ${event.message}`);
      }
      if (event.type === 'step') running.set(event.job.id, event);
      // Its worker returned it, or was lost.
      if (event.type === 'waiting') running.delete(event.job.id);
      if (now() >= nextAt) draw();
    },
    record({ id, state }) {
      running.delete(id);
      if (state !== 'kept') ended++;
      if (state === 'failed') failed++;
      if (now() >= nextAt || kept + ended === jobs) draw();
    },
    line(text) {
      clear();
      output.write(`${printable(text)}\n`);
    },
    end() {
      if (drawn > 0) output.write('\n');
      drawn = 0;
    },
  };
}

/** A running picture in words: `  out/a-b.png  12/100  loss 345.6  40 s left`. */
function describe({ job, iteration, iterations, loss, secondsLeft }: JobStepEvent): string {
  const width = String(iterations).length;
  const step = `${String(iteration).padStart(width)}/${iterations}`;
  return `  ${job.output}  ${step}  loss ${loss.toPrecision(5)}  ${duration(secondsLeft)} left`;
}
