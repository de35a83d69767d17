import type { StyleTransferProgress } from './progress';

/** What a channel needs of its events. */
interface ChannelEvent {
  readonly type: string;
  /** Of a warning: the same one is delivered once. */
  readonly message?: string;
  /** Of a download's progress: the file. */
  readonly name?: string;
}

/**
 * Delivers the events of a run to the caller's listener: in order, one at a time, with every returned promise awaited.
 *
 * The first error that the listener throws or rejects with aborts {@link signal}, which ends the work in progress; the
 * run rejects with this error. It is thrown by {@link send} and {@link settle}; {@link post} never throws.
 */
export class ProgressChannel<Event extends ChannelEvent = StyleTransferProgress> {
  private readonly controller = new AbortController();
  private readonly waiting: Event[] = [];
  private readonly warnings = new Set<string>();
  private delivery: Promise<void> | undefined;
  /** Time that the run has waited for the listener, which may hold it for as long as it likes. */
  settledMs = 0;
  private failure: { readonly error: unknown } | undefined;
  private readonly forward = () => this.controller.abort(this.outer?.reason);

  /** @param outer the caller's signal */
  constructor(
    private readonly listener: ((event: Event) => void | Promise<void>) | undefined,
    private readonly outer: AbortSignal | undefined,
  ) {
    if (outer?.aborted) this.forward();
    else outer?.addEventListener('abort', this.forward);
  }

  /** Aborted by the caller's signal, with its reason, by a listener that fails, with its error, or by {@link abort}. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the work in progress. */
  abort(reason: unknown): void {
    this.controller.abort(reason);
  }

  /** Queues an event without waiting, for synchronous callers. */
  post(event: Event): void {
    if (!this.listener || this.failure) return;
    // Several parts of a run may find the same fault, such as threads that do not start.
    const { message = '' } = event;
    if (event.type === 'warning' && this.warnings.has(message)) return;
    if (event.type === 'warning') this.warnings.add(message);
    const last = this.waiting.at(-1);
    // While the listener is busy, only the newest progress of a file, or of what is made ready, is kept.
    const replaces = event.type === 'weights' || event.type === 'prepare';
    if (replaces && last?.type === event.type && last.name === event.name) this.waiting.pop();
    this.waiting.push(event);
    if (!this.delivery) {
      this.delivery = this.deliver(this.listener).finally(() => {
        this.delivery = undefined;
      });
    }
  }

  /** Queues an event and waits until the listener has handled it. */
  async send(event: Event): Promise<void> {
    this.post(event);
    await this.settle();
  }

  /** Waits until the listener has handled every event so far; throws its first error. */
  async settle(): Promise<void> {
    const startTime = performance.now();
    await this.delivery;
    this.settledMs += performance.now() - startTime;
    if (this.failure) throw this.failure.error;
  }

  /** Delivers the last event of a run that ends early, also to a listener that has failed before. Never throws. */
  async finish(event: Event): Promise<void> {
    await this.delivery;
    try {
      await this.listener?.(event);
    } catch (error) {
      this.failure ??= { error };
    }
  }

  /** The reason with which a run that ends with `error` rejects: the first error of the listener, if there is one. */
  reasonFor(error: unknown): unknown {
    return this.failure ? this.failure.error : error;
  }

  /** Waits for the event in progress and stops listening to the caller's signal. Never throws. */
  async close(): Promise<void> {
    await this.delivery;
    this.outer?.removeEventListener('abort', this.forward);
  }

  private async deliver(listener: (event: Event) => void | Promise<void>): Promise<void> {
    try {
      for (let event = this.waiting.shift(); event; event = this.waiting.shift()) await listener(event);
    } catch (error) {
      this.failure = { error };
      this.waiting.length = 0;
      this.controller.abort(error);
    }
  }
}
