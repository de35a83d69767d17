/// <reference types="@webgpu/types" />
import { whileDeviceLasts } from '../../backends/lost-device';
import type { Gpu } from './device/gpu';
import type { TfjsDevice } from './device/tfjs-device';

/**
 * Tells of which work an error is that WebGPU reports after targets were computed, as it does some time later. Whose
 * targets they are is not known: where runs overlap, an error ends all of those that it may be of, and none that
 * computes its targets after them.
 */
export class TargetErrors {
  /** Errors reported before the first targets of which it is not known that the device has computed them. */
  private since: number | undefined;
  /** Times that targets were computed. */
  private count = 0;
  /** Work that is under way, and whether some has ended since targets were computed. */
  private underWay = 0;
  private isOver = false;

  constructor(
    private readonly gpu: Gpu,
    private readonly tfjs: TfjsDevice,
  ) {}

  /** Errors that had been reported before targets that may have failed; undefined if none may. */
  get before(): number | undefined {
    return this.since;
  }

  /** Computes targets. */
  noted<R>(compute: () => R): R {
    const { gpu, tfjs } = this;
    if (this.isOver && this.underWay === 0) this.since = undefined;
    this.since ??= gpu.reports;
    this.isOver = false;
    const index = ++this.count;
    try {
      return compute();
    } finally {
      tfjs.flush();
      gpu.device.queue.onSubmittedWorkDone().then(
        () => {
          if (index === this.count && gpu.reports === this.since) this.since = undefined;
        },
        // Of a lost device, which others notice.
        () => {},
      );
    }
  }

  /** Counts work that may use targets. @returns a function that ends it, and does nothing a second time */
  begin(): () => void {
    let isUnderWay = true;
    this.underWay++;
    return () => {
      if (!isUnderWay) return;
      isUnderWay = false;
      this.underWay--;
      this.isOver = true;
    };
  }

  /**
   * What `compute` gives, once the device has done it.
   *
   * @throws what it throws, or what `Gpu.requireNoReport` does
   */
  async verified<R>(compute: () => Promise<R>): Promise<R> {
    const { gpu, tfjs } = this;
    const before = this.isOver && this.underWay === 0 ? gpu.reports : (this.since ?? gpu.reports);
    const end = this.begin();
    try {
      const made = await compute();
      tfjs.flush();
      await whileDeviceLasts(() => gpu.device.queue.onSubmittedWorkDone());
      gpu.requireNoReport(before);
      return made;
    } finally {
      end();
    }
  }
}
