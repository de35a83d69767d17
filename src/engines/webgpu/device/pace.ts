/// <reference types="@webgpu/types" />

/** What a command takes of a device. */
export interface Cost {
  /**
   * Additions and multiplications of products, of convolutions and of matrices, that are really done. The few for each
   * value that other kernels read are done while it is read.
   */
  readonly flop: number;
  /** Bytes read from and written to memory, each value once. */
  readonly bytes: number;
}

/** Options of {@link Pace}. */
export interface PaceOptions {
  /** The longest that a submission should take, in milliseconds. @default 100 */
  readonly longestMs?: number | undefined;
}

/** A GPU that is slow among those in use: of 1 TFLOP/s and 30 GB/s, in a millisecond. */
const slowFlop = 1e9;
const slowBytes = 3e7;

/** Submissions shorter than this tell nothing of the device: the way to it and back takes as long. */
const tellingMs = 20;

/**
 * Keeps submissions short. Systems end programs whose GPU does not answer, Windows after two seconds, and draw nothing
 * of a page meanwhile. The time of commands is estimated by what they cost, for a slow GPU first, and then by the time
 * that the last submissions took.
 */
export class Pace {
  private readonly longestMs: number;
  /** How many times as fast the device is as the slow one. */
  private speed = 1;
  /** What is recorded, in milliseconds of the slow GPU. */
  private recorded = 0;
  /** When the device was done with the last submission. */
  private doneAt = 0;
  private count = 0;

  constructor(
    private readonly queue: Pick<GPUQueue, 'onSubmittedWorkDone'>,
    { longestMs = 100 }: PaceOptions,
  ) {
    this.longestMs = longestMs;
  }

  /** Submissions so far. */
  get submissions(): number {
    return this.count;
  }

  /** Whether what is recorded would take too long together with one more command. */
  isFullWith(cost: Cost): boolean {
    return this.recorded > 0 && this.recorded + slowMs(cost) > this.longestMs * this.speed;
  }

  /** Counts a command that has been recorded. */
  add(cost: Cost): void {
    this.recorded += slowMs(cost);
  }

  /** Counts a submission, and times it. */
  submitted(): void {
    this.count++;
    const { recorded } = this;
    this.recorded = 0;
    if (recorded === 0) return;
    const submittedAt = performance.now();
    this.queue.onSubmittedWorkDone().then(
      () => {
        const now = performance.now();
        this.learn(recorded, now - Math.max(submittedAt, this.doneAt));
        this.doneAt = now;
      },
      // Of a lost device, which others notice.
      () => {},
    );
  }

  /** Corrects the speed by a submission: at once where the device is slower than was thought, else by half. */
  private learn(slow: number, ms: number): void {
    const found = slow / Math.max(ms, 1e-3);
    if (found > this.speed) this.speed = (this.speed + Math.min(found, 1000 * this.speed)) / 2;
    else if (ms >= tellingMs) this.speed = found;
  }
}

const slowMs = ({ flop, bytes }: Cost): number => Math.max(flop / slowFlop, bytes / slowBytes);
