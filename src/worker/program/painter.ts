import type { ImageInput } from '../../image/to-image';
import type { StyleTransferProgress } from '../../transfer/progress';
import { styleTransferOn } from '../../transfer/style-transfer';
import type { StyleInput } from '../../transfer/styles';
import type { RunMessage } from '../protocol';
import type { WorkerResult } from '../result';
import { KeptNetwork } from './kept-network';
import { Modules } from './modules';
import { moving, pixelsOf } from './pixels-of';
import type { TaskControl } from './task-control';
import { rgba, type ToBitmap } from './to-bitmap';
import { workerPlatform } from './worker-platform';

/** Paints the runs of a worker, and keeps their network and their modules for the next ones. */
export class Painter {
  private readonly network = new KeptNetwork();
  private readonly modules = new Modules();
  private readonly styleTransfer = styleTransferOn<ImageInput>(workerPlatform, (platform, options) =>
    this.network.load(platform, options),
  );

  constructor(private readonly toBitmap: ToBitmap) {}

  /** @returns the result, and those of its parts that move to the page */
  async paint(
    message: RunMessage,
    control: TaskControl,
  ): Promise<{ result: WorkerResult; transfer: Transferable[] }> {
    const { content, style, rest, previewInterval } = message;
    const events = new Events(control, previewInterval, this.toBitmap);
    const given = await Promise.all(
      rest.map((argument) =>
        typeof argument === 'object' && argument !== null ? this.modules.optionsOf(argument) : argument,
      ),
    );
    const withHold = (options: unknown) => ({
      ...(options as object),
      signal: control.signal,
      onProgress: (event: StyleTransferProgress) => events.tell(event),
    });
    const painted = await (
      this.styleTransfer as (...args: unknown[]) => ReturnType<typeof this.styleTransfer>
    )(content as ImageInput, style as StyleInput<ImageInput>, ...withOptions(given, withHold));
    try {
      const { image, dispose: _, ...facts } = painted;
      const pixels = await pixelsOf(image);
      const bitmap = await this.toBitmap(rgba(pixels.data), pixels.width, pixels.height);
      return { result: { ...facts, image: pixels, bitmap }, transfer: moving(bitmap, pixels.data.buffer) };
    } finally {
      painted.dispose();
    }
  }
}

/** The arguments after the images, in either of their forms, with options made of those given. */
function withOptions(rest: readonly unknown[], make: (options: unknown) => object): readonly unknown[] {
  const at = rest.findIndex((argument) => typeof argument === 'object' && argument !== null);
  if (at >= 0) return rest.map((argument, i) => (i === at ? make(argument) : argument));
  const weighed = rest.some((argument) => argument !== undefined);
  return weighed ? [rest[0], rest[1], make({})] : [make({})];
}

/** Events of a run as the page gets them. */
class Events {
  private previewedAt = -Infinity;

  constructor(
    private readonly control: TaskControl,
    private readonly previewInterval: number | undefined,
    private readonly toBitmap: ToBitmap,
  ) {}

  async tell(event: StyleTransferProgress): Promise<void> {
    const { control } = this;
    if (event.type === 'interrupted') {
      const image = event.image();
      try {
        const pixels = await pixelsOf(image);
        return await control.send({ ...event, image: pixels }, { transfer: moving(pixels.data.buffer) });
      } finally {
        image.dispose();
      }
    }
    if (event.type !== 'step') return control.send(event);
    const { image, ...step } = event;
    await control.send(step);
    if (this.isDue()) await this.preview(event);
    await control.whileHeld();
  }

  private isDue(): boolean {
    const { previewInterval, control } = this;
    if (previewInterval === undefined || !control.listens || control.signal.aborted) return false;
    return performance.now() - this.previewedAt >= previewInterval;
  }

  private async preview({
    stage,
    iteration,
    loss,
    image: make,
  }: StyleTransferProgress & { readonly type: 'step' }): Promise<void> {
    this.previewedAt = performance.now();
    const image = make();
    try {
      const [height, width] = image.shape;
      const pixels = rgba(await image.data<'float32'>());
      const bitmap = await this.toBitmap(pixels, width, height);
      const transfer = moving(bitmap, pixels.buffer);
      await this.control.send({ type: 'preview', stage, iteration, loss, bitmap }, { pixels, transfer });
    } finally {
      image.dispose();
    }
  }
}
