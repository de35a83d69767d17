import { recordOf } from '../error-record';
import type { FromWorker, Port, TaskEvent, ToWorker } from '../protocol';

/** The page's hold on a run in this worker: abort, pause, and the pace at which it takes events. */
export class TaskControl {
  private readonly controller = new AbortController();
  /** Resolves when the page has taken the last event. */
  private taken: Promise<void> = Promise.resolve();
  private take = () => {};
  /** Resolves when the run may go on; undefined while it is not held. */
  private held: { readonly until: Promise<void>; readonly release: () => void } | undefined;

  constructor(
    private readonly run: number,
    private readonly port: Port<FromWorker, ToWorker>,
    /** Whether the page listens to events. */
    readonly listens: boolean,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  receive(message: 'abort' | 'pause' | 'resume' | 'taken'): void {
    if (message === 'taken') this.take();
    else if (message === 'resume') this.held?.release();
    else if (message === 'pause') this.hold();
    else {
      // The reason is the page's, which puts it in the place of this one.
      this.controller.abort();
      this.held?.release();
      this.take();
    }
  }

  /** Sends an event once the page has taken the one before. */
  async send(
    event: TaskEvent,
    { pixels, transfer }: { pixels?: Uint8ClampedArray<ArrayBuffer>; transfer?: Transferable[] } = {},
  ): Promise<void> {
    if (!this.listens) return;
    const before = this.taken;
    let take = () => {};
    this.taken = new Promise((resolve) => {
      take = resolve;
    });
    await before;
    this.take = take;
    const crossing = event.type === 'interrupted' ? { ...event, reason: recordOf(event.reason) } : event;
    this.port.post({ type: 'event', run: this.run, event: crossing, pixels }, transfer);
  }

  /** Waits while the page holds the run. */
  async whileHeld(): Promise<void> {
    if (!this.held || this.signal.aborted) return;
    await this.send({ type: 'paused' });
    await this.held?.until;
    await this.send({ type: 'resumed' });
  }

  private hold(): void {
    if (this.held) return;
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = () => {
        this.held = undefined;
        resolve();
      };
    });
    this.held = { until, release };
  }
}
