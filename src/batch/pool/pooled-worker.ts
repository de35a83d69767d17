import type { Worker } from 'node:worker_threads';
import { ComputationError } from '../../errors';
import { showText } from '../../options/show';
import { errorOf } from '../../worker/error-record';
import type { BatchRecord, Job } from '../job';
import type { JobStepEvent, JobWarningEvent } from '../painter';
import type { SharedNumbers } from '../shared-weights';
import type { FromWorker, ToWorker } from './protocol';

/** What a worker needs of its pool while it paints. */
export interface WorkerListener {
  onProgress(event: JobStepEvent | JobWarningEvent): void;
  /** Called when a job has planned its memory; {@link PooledWorker.giveRoom} lets it go on. */
  onNeedsRoom(worker: PooledWorker, bytes: number): void;
  /** Called when a job needs what workers share; {@link PooledWorker.giveShared} answers. */
  onNeedsShared(worker: PooledWorker, key: string): void;
}

/** Time that a worker has to end a job that is aborted; then it is ended itself. */
const patienceMs = 5000;

/** A worker thread of a pool, seen from the main thread. It does one thing at a time. */
export class PooledWorker {
  private job: { settle(answer: FromWorker): void; fail(reason: unknown): void } | undefined;
  private readonly computing = new Map<string, (numbers: SharedNumbers | undefined) => void>();
  private gone: ComputationError | undefined;

  constructor(
    private readonly worker: Worker,
    private readonly listener: WorkerListener,
  ) {
    worker.on('message', (message: FromWorker) => this.hear(message));
    worker.on('messageerror', (cause) => this.lose('sent what cannot be read', cause));
    worker.on('error', (cause) => this.lose(`failed: ${showText(String(cause), 200)}`, cause));
    worker.on('exit', (code) => this.lose(`ended with exit code ${code}`));
  }

  /** Whether the thread is gone. */
  get lost(): boolean {
    return this.gone !== undefined;
  }

  /** The memory that a job would take, in bytes. @throws what would make the job fail before it begins */
  async plan(job: Job, threads: number, signal: AbortSignal): Promise<number> {
    return (await this.ask<'plan'>({ type: 'plan', job, threads }, signal)).bytes;
  }

  /** Paints a job. @throws ComputationError `WORKER_LOST` if the thread ends; the signal's reason */
  async paint(job: Job, threads: number, signal: AbortSignal): Promise<BatchRecord> {
    return (await this.ask<'record'>({ type: 'paint', job, threads }, signal)).record;
  }

  /** Lets a job take the memory that it has planned. */
  giveRoom(): void {
    this.post({ type: 'room' });
  }

  /** Gives a job weights of a network or targets of a style. */
  giveShared(key: string, numbers: SharedNumbers): void {
    this.post({ type: 'shared', key, numbers });
  }

  /** Has the job that asked compute. @throws if it could not */
  computeShared(key: string): Promise<SharedNumbers> {
    return new Promise((resolve, reject) => {
      this.computing.set(key, (numbers) => {
        this.computing.delete(key);
        if (numbers) resolve(numbers);
        else reject(new Error('not computed'));
      });
      this.post({ type: 'shared', key, numbers: undefined });
    });
  }

  /** Ends the thread. Safe to call twice. */
  async end(): Promise<void> {
    this.lose('was ended');
    await this.worker.terminate();
  }

  /** Posts a message and waits for its answer, of a type that belongs to it. */
  private async ask<Type extends FromWorker['type']>(
    message: ToWorker,
    signal: AbortSignal,
  ): Promise<Extract<FromWorker, { readonly type: Type }>> {
    signal.throwIfAborted();
    if (this.gone) throw this.gone;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.post({ type: 'abort' });
      timer = setTimeout(() => void this.end(), patienceMs);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise((settle, fail) => {
        this.job = { settle: settle as (answer: FromWorker) => void, fail };
        this.post(message);
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      this.job = undefined;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  private hear(message: FromWorker): void {
    const { listener, job } = this;
    if (message.type === 'progress') listener.onProgress(message.event);
    else if (message.type === 'needs-room') listener.onNeedsRoom(this, message.bytes);
    else if (message.type === 'needs-shared') listener.onNeedsShared(this, message.key);
    else if (message.type === 'computed') this.computing.get(message.key)?.(message.numbers);
    else if (message.type === 'failed') job?.fail(errorOf(message.error));
    else job?.settle(message);
  }

  private post(message: ToWorker): void {
    if (!this.gone) this.worker.postMessage(message);
  }

  private lose(why: string, cause?: unknown): void {
    if (this.gone) return;
    this.gone = new ComputationError('WORKER_LOST', `The worker thread of the picture ${why}.`, {
      value: why,
      cause,
    });
    this.job?.fail(this.gone);
    for (const computed of [...this.computing.values()]) computed(undefined);
  }
}
