import { ifSoftware } from '../../engines/engine-options';
import { type OpenGenerator, openGeneratorOn } from '../../engines/open-generator';
import type { Generator } from '../../features/generator';
import { isGenerator } from '../../features/is-generator';
import { type GeneratorSource, loadGenerator } from '../../generators/file/load-generator';
import { stylizeOn } from '../../generators/stylize';
import type { ImageInput } from '../../image/to-image';
import { requireBackend } from '../../platform';
import type { StylizeMessage } from '../protocol';
import type { WorkerStylizeOptions, WorkerStylizeResult } from '../stylize-options';
import { moving, pixelsOf } from './pixels-of';
import type { TaskControl } from './task-control';
import { rgba, type ToBitmap } from './to-bitmap';
import { workerPlatform } from './worker-platform';

const [openGenerator, stylize] = [openGeneratorOn(workerPlatform), stylizeOn(workerPlatform)];

/** Paints by generators, and keeps the last one open for the next picture. */
export class InstantPainter {
  private kept: { readonly key: string; readonly open: OpenGenerator } | undefined;

  constructor(private readonly toBitmap: ToBitmap) {}

  /** @returns the result, and those of its parts that move to the page */
  async paint(
    { image, generator, key, options }: StylizeMessage,
    control: TaskControl,
  ): Promise<{ result: WorkerStylizeResult; transfer: Transferable[] }> {
    const { engine, threads, relaxedSimd, ...rest } = options as WorkerStylizeOptions;
    const { signal } = control;
    const onWarning = (warning: { readonly code: string; readonly message: string }) =>
      void control.send({ type: 'warning', ...warning });
    const open = async () => {
      await requireBackend(workerPlatform, onWarning, ifSoftware(engine));
      const found = isGenerator(generator)
        ? (generator as Generator)
        : await loadGenerator(generator as GeneratorSource, { signal });
      return openGenerator(found, { engine, threads, relaxedSimd, signal, onWarning });
    };
    const name = key && JSON.stringify([key, engine, threads, relaxedSimd]);
    const opened = await (name === undefined ? open() : this.keep(name, open));
    try {
      const painted = await stylize(image as ImageInput, opened, {
        ...rest,
        signal,
        onProgress: (event) => control.send(event),
      });
      try {
        const pixels = await pixelsOf(painted.image);
        const bitmap = await this.toBitmap(rgba(pixels.data), pixels.width, pixels.height);
        const { elapsedMs } = painted;
        return { result: { image: pixels, bitmap, elapsedMs }, transfer: moving(bitmap, pixels.data.buffer) };
      } finally {
        painted.dispose();
      }
    } finally {
      if (name === undefined) opened.dispose();
    }
  }

  private async keep(key: string, open: () => Promise<OpenGenerator>): Promise<OpenGenerator> {
    if (this.kept?.key === key) return this.kept.open;
    this.kept?.open.dispose();
    this.kept = undefined;
    const opened = await open();
    this.kept = { key, open: opened };
    return opened;
  }
}
