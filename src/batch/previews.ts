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

/** A preview is looked at and thrown away. */
const quality = 80;

/**
 * Makes a function that is called for every step of a job and writes the picture so far, as JPEG, when it is time. The
 * run goes on while a picture is being written, and a preview that cannot be written is a warning.
 */
export function previews(
  { output, seconds }: JobPreview,
  signal: AbortSignal | undefined,
): (event: StepEvent) => Promise<Written> {
  let dueAt = Number.NEGATIVE_INFINITY;
  let busy = false;
  let news: Written = {};
  const write = async (bytes: Uint8Array) => {
    try {
      await writeTo('preview', output, bytes, { signal });
      news = { written: output };
    } catch (error) {
      const code = error instanceof StyleTransferError ? error.code : 'NOT_WRITABLE';
      const message = `The preview could not be written: ${(error as Error).message}`;
      if (!signal?.aborted) news = { warning: { type: 'warning', code, message } };
    } finally {
      busy = false;
    }
  };
  return async (event) => {
    if (!busy && performance.now() >= dueAt) {
      busy = true;
      dueAt = performance.now() + seconds * 1000;
      const image = event.image();
      const bytes = await encodeImage(image, { format: 'jpeg', quality, signal }).finally(() => {
        image.dispose();
      });
      void write(bytes);
    }
    const since = news;
    news = {};
    return since;
  };
}
