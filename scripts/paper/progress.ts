import type { TrainingStepEvent } from '../../src/generators';
import type { StepEvent } from '../../src/transfer/progress';
import type { RunRecord } from './run-record';

/** Shows how far the experiment is: one line that changes on a terminal, one line a run elsewhere. */
export class ExperimentProgress {
  private total = 0;
  private finished = 0;
  private computed = 0;
  private computedSeconds = 0;
  private current = '';

  constructor(private readonly stream: NodeJS.WriteStream) {}

  begin(runs: number): void {
    this.total = runs;
  }

  run({ content, style, system }: Pick<RunRecord, 'content' | 'style' | 'system'>): void {
    const number = String(this.finished + 1).padStart(String(this.total).length);
    this.current = `[${number}/${this.total}] ${content} in the style of ${style}, ${system}`;
  }

  step({ iteration, iterations, loss, secondsPerEvaluation }: StepEvent): void {
    if (!this.stream.isTTY) return;
    const text = `${this.current}: ${iteration}/${iterations}, loss ${loss.toPrecision(4)}, ${secondsPerEvaluation.toFixed(2)} s an evaluation${this.left()}`;
    this.stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, this.stream.columns - 1))}`);
  }

  training({ step, steps, meanLoss, secondsLeft }: TrainingStepEvent): void {
    if (!this.stream.isTTY) return;
    const text = `training: ${step}/${steps}, loss ${meanLoss.toPrecision(4)}, ${Math.ceil(secondsLeft)} s left`;
    this.stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, this.stream.columns - 1))}`);
  }

  /** @param kept whether an earlier call had done it */
  done({ evaluations, loss, seconds }: RunRecord, kept: boolean): void {
    this.finished++;
    if (kept) {
      this.line(`${this.current}: kept from an earlier call`);
      return;
    }
    this.computed++;
    this.computedSeconds += seconds;
    const result =
      loss === undefined
        ? `painted at once, ${seconds.toFixed(3)} s`
        : `loss ${loss.toPrecision(4)} after ${evaluations} evaluations, ${seconds.toFixed(1)} s`;
    this.line(`${this.current}: ${result}${this.left()}`);
  }

  /** A line that stays. */
  line(text: string): void {
    this.stream.write(this.stream.isTTY ? `\r\x1b[2K${text}\n` : `${text}\n`);
  }

  private left(): string {
    const runs = this.total - this.finished;
    if (this.computed === 0 || runs === 0) return '';
    const seconds = (this.computedSeconds / this.computed) * runs;
    return `, about ${seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`} left`;
  }
}
