import { StyleTransferError } from '../errors';
import { encodeImage } from '../node/write-image';
import type { StepEvent, WarningEvent } from '../transfer/progress';
import type { JobPreview } from './job';
import { writeTo } from './stores';

/** What became of a preview since the last step. */
interface Written {
  /** Place of the preview, if a new one is there. */
  readonly written?: string | undefined;
  readonly warning?: WarningEvent | undefined;
}

/** The previews of a job. */
interface Previews {
  /** Called for every step; writes the picture so far, as JPEG, when it is time. */
  at(event: StepEvent): Promise<Written>;
  /** Waits for the last preview: after that none is written. */
  end(): Promise<Written>;
}

/** A preview is looked at and thrown away. */
const quality = 80;

/**
 * Shows a job while it is painted. The run goes on while a picture is being written, and a preview that cannot be made
 * or written is a warning.
 */
export function previews({ output, seconds }: JobPreview, signal: AbortSignal | undefined): Previews {
  let dueAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;
  let news: Written = {};
  const warn = (error: unknown) => {
    const code = error instanceof StyleTransferError ? error.code : 'NOT_WRITABLE';
    const message = `The preview could not be written: ${(error as Error).message}`;
    if (!signal?.aborted) news = { warning: { type: 'warning', code, message } };
  };
  const write = async (bytes: Uint8Array) => {
    await writeTo('preview', output, bytes, { signal });
    news = { written: output };
  };
  const sinceThen = () => {
    const since = news;
    news = {};
    return since;
  };
  return {
    async at(event) {
      if (writing === undefined && performance.now() >= dueAt) {
        dueAt = performance.now() + seconds * 1000;
        const image = event.image();
        try {
          const bytes = await encodeImage(image, { format: 'jpeg', quality, signal });
          writing = write(bytes)
            .catch(warn)
            .finally(() => {
              writing = undefined;
            });
        } catch (error) {
          warn(error);
        } finally {
          image.dispose();
        }
      }
      return sinceThen();
    },
    async end() {
      await writing;
      return sinceThen();
    },
  };
}
