import { evaluate } from '../node/evaluate';
import { styleExtension } from '../node/style-files';
import { encodeImage, formatOf } from '../node/write-image';
import type { Bytes } from '../storage/byte-store';
import { sha256 } from '../storage/sha256';
import type { StyleTransferProgress } from '../transfer/progress';
import { type StyleTransferResult, styleTransferOn } from '../transfer/style-transfer';
import type { StyleInput } from '../transfer/styles';
import type { BatchRecord, DoneRecord, Job } from './job';
import type { JobContext } from './job-context';
import { type JobInputs, jobInputs } from './job-inputs';
import { failedRecord, workFacts } from './job-record';
import { previews } from './previews';
import { writeTo } from './stores';

/** Options of {@link runJob}. */
export interface RunJobOptions {
  /** Ends the job within one evaluation. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event of the run and awaited. */
  readonly onProgress?: ((event: JobRunEvent) => void | Promise<void>) | undefined;
}

/** An event of a run. */
export type JobRunEvent = StyleTransferProgress & {
  /** Place of the job's preview, if a new one has been written since the last event. */
  readonly preview?: string | undefined;
};

/**
 * Paints a picture and writes its file.
 *
 * @param context remains the caller's, who paints one job at a time with it
 * @returns a record, of a failure too: a job never throws because of its files or settings
 * @throws the signal's reason once it is aborted, and any error of `onProgress` or `context.onPlanned`
 */
export async function runJob(
  job: Job,
  context: JobContext,
  { signal, onProgress }: RunJobOptions = {},
): Promise<BatchRecord> {
  const begun = performance.now();
  const inputs = jobInputs(context, job.inputs);
  let outside: { readonly error: unknown } | undefined;
  /** A caller's function, whose errors are not the job's. */
  const calling =
    <Args extends unknown[]>(call: (...args: Args) => unknown) =>
    async (...args: Args) => {
      try {
        await call(...args);
      } catch (error) {
        outside = { error };
        throw error;
      }
    };
  const shown = withPreviews(job, onProgress && calling(onProgress), signal);
  try {
    signal?.throwIfAborted();
    const format = formatOf(job.output, job.format);
    const { onPlanned } = context;
    const result = await paint(
      job,
      inputs,
      { ...context, onPlanned: onPlanned && calling(onPlanned) },
      { signal, onProgress: shown.onProgress },
    );
    try {
      await shown.end();
      const { image, settings } = result;
      const values = await valuesOf(job, image, inputs, context, signal);
      const bytes = await encodeImage(image, { format, settings, signal });
      await writeTo('output', job.output, bytes, { signal });
      const hash = await sha256(bytes as Bytes);
      return {
        ...job,
        state: 'done',
        ...workFacts(begun, inputs.hashes),
        ...resultOf(result),
        sha256: hash,
        values,
      };
    } finally {
      result.dispose();
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (outside) throw outside.error;
    return failedRecord(job, error, { begun, inputs: inputs.hashes });
  } finally {
    // After a failure too, nothing is written any more when the record is there.
    await shown.end();
  }
}

/** `onProgress` for every event, which also writes the job's previews; `end` waits for the last of them. */
function withPreviews(
  { preview }: Job,
  onProgress: RunJobOptions['onProgress'],
  signal: AbortSignal | undefined,
): Pick<RunJobOptions, 'onProgress'> & { end(): Promise<void> } {
  if (preview === undefined) return { onProgress, end: async () => {} };
  const shown = previews(preview, signal);
  return {
    async onProgress(event) {
      if (event.type !== 'step') return onProgress?.(event);
      const { written, warning } = await shown.at(event);
      if (warning) await onProgress?.(warning);
      await onProgress?.({ ...event, preview: written });
    },
    async end() {
      const { warning } = await shown.end();
      if (warning) await onProgress?.(warning);
    },
  };
}

/**
 * The memory that a job would take by its plan, in bytes, beside the program itself. It loads the network and reads the
 * job's files, but decodes none.
 *
 * @throws what would make the job fail before it begins
 */
export async function planJob(
  job: Job,
  context: JobContext,
  { signal }: Pick<RunJobOptions, 'signal'> = {},
): Promise<number> {
  let planned: number | undefined;
  const stop = new Error('planned');
  const onPlanned = (bytes: number) => {
    planned = bytes;
    throw stop;
  };
  try {
    (await paint(job, jobInputs(context), { ...context, onPlanned }, { signal })).dispose();
  } catch (error) {
    if (error !== stop) throw error;
  }
  return planned as number;
}

async function paint(
  job: Job,
  { platform }: JobInputs,
  { work, begin, onPlanned }: JobContext,
  options: RunJobOptions,
): Promise<StyleTransferResult> {
  const { threads } = await begin(job.settings);
  const transfer = styleTransferOn(platform, work.load, (_record, plans) =>
    onPlanned?.(Math.max(...plans.map(({ bytes }) => bytes)), options.signal),
  );
  const { backend: _, ...settings } = job.settings;
  return transfer(job.content, styleOf(job), { ...settings, threads, ...options });
}

function styleOf({ style, styleWeights }: Job): StyleInput<string> {
  if (typeof style === 'string') return style;
  return style.map((image, i) => ({ image, weight: styleWeights?.[i] }));
}

function resultOf(result: StyleTransferResult) {
  const { image, loss, iterations, evaluations, weights, embedded, engine, threads } = result;
  const [height, width] = image.shape;
  return { width, height, loss, iterations, evaluations, weights, embedded, engine, threads };
}

/** The metrics that a job asks for. Those of style are against the first style, if it is a picture. */
async function valuesOf(
  { content, style, metrics }: Job,
  image: StyleTransferResult['image'],
  { read }: JobInputs,
  { work }: JobContext,
  signal: AbortSignal | undefined,
): Promise<DoneRecord['values']> {
  if (metrics === undefined || metrics.length === 0) return undefined;
  const [first] = typeof style === 'string' ? [style] : style;
  const found = await evaluate({
    image,
    content: await read('content', content, signal),
    style: first.toLowerCase().endsWith(styleExtension) ? undefined : await read('style', first, signal),
    extractor: work.extractor(),
    metrics,
    signal,
  });
  return { content: found.content, style: found.style };
}
