import type { StepEvent } from '../transfer/progress';
import { printable } from './printable';
import {
  describeCell,
  describeFrame,
  describePreparation,
  describeStart,
  describeStep,
  describeStyles,
  describeTraining,
  describeWeights,
  type ProgressDisplay,
} from './progress';
import type { Output } from './terminal';

/** Milliseconds between two lines. */
const pause = 5000;

/**
 * Plain lines, for files and pipes: of each stage its start, the first step, the last, and between them one every five
 * seconds.
 */
export function progressLines(output: Output, now: () => number = () => performance.now()): ProgressDisplay {
  let next = Number.NEGATIVE_INFINITY;
  let held: StepEvent | undefined;
  const line = (text: string) => void output.write(`${printable(text)}\n`);
  const write = (text: string) => {
    line(text);
    next = now() + pause;
  };
  const writeHeld = () => {
    if (held) write(describeStep(held));
    held = undefined;
  };
  return {
    show(event) {
      const due = now() >= next;
      if (event.type === 'warning') line(event.message);
      if (event.type === 'weights' && due) write(describeWeights(event));
      if (event.type === 'prepare' && due) write(describePreparation(event));
      if (event.type === 'cell' && due) write(describeCell(event));
      if (event.type === 'trained' && (due || event.step.step === event.step.steps))
        write(describeTraining(event));
      if (event.type === 'frame' && due) write(describeFrame(event));
      if (event.type === 'style' && due) write(describeStyles(event));
      if (event.type === 'start') {
        writeHeld();
        line(describeStart(event));
        next = Number.NEGATIVE_INFINITY;
      }
      if (event.type !== 'step') return;
      held = due ? undefined : event;
      if (due) write(describeStep(event));
    },
    line,
    end: writeHeld,
  };
}
