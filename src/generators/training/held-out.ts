import type { GeneratorNetwork } from '../../features/generator-network';
import { resolveSteps, sizeMultiple, smallestSize } from '../../features/generator-steps';
import type { Image } from '../../image/image';
import type { ImageReader } from '../../image/image-reader';
import { sizeAfter } from '../../image/size-rule';
import { owning } from '../../owning';
import type { TrainingPreviewEvent } from './progress';
import type { TrainingLoop } from './training-loop';

/** Sides of pictures are a multiple of this or of what the network needs, whichever is larger. */
const leastMultiple = 32;

/**
 * Decodes pictures that are not trained on, with their longer side at about `size` pixels and sides that the network
 * takes.
 *
 * @returns images that belong to the caller
 */
export async function heldOut<Input>(
  reader: ImageReader<Input>,
  pictures: readonly Input[],
  {
    size,
    network,
    signal,
  }: { readonly size: number; readonly network: GeneratorNetwork; readonly signal: AbortSignal },
): Promise<readonly Image[]> {
  const steps = resolveSteps(network);
  const multiple = sizeMultiple(steps) * Math.ceil(leastMultiple / sizeMultiple(steps));
  const least = Math.ceil(smallestSize(steps) / multiple);
  return owning(async ({ result }) => {
    const images: Image[] = [];
    for (const [i, picture] of pictures.entries()) {
      const opened = await reader.open(`preview[${i}]`, picture, signal);
      const fitting = sizeAfter({ longerSide: size }, opened.width, opened.height);
      const side = (pixels: number) => Math.max(least, Math.round(pixels / multiple)) * multiple;
      const rule = { width: side(fitting.width), height: side(fitting.height), crop: true };
      images.push(result(await opened.decode(rule)));
    }
    return images;
  });
}

/**
 * Paints pictures that are not trained on, each in every style in turn, and shows them.
 *
 * @param values the numbers that are trained
 * @param show gets the painted pictures, which are freed after it
 */
export async function preview(
  images: readonly Image[],
  { program, losses, parameters, signal }: TrainingLoop,
  values: Float32Array,
  show: (painted: Pick<TrainingPreviewEvent, 'images' | 'losses'>) => Promise<void>,
): Promise<void> {
  await owning(async ({ temporary }) => {
    const painted: Image[] = [];
    const found: number[] = [];
    for (const image of images) {
      for (const [style, loss] of losses.entries()) {
        program.setParameters(parameters.ofNetwork(values, style));
        const one = temporary(await program.run(image, { signal }));
        const { value, gradient } = await loss.at(one, image);
        gradient.dispose();
        painted.push(one);
        found.push(value);
      }
    }
    await show({ images: painted, losses: found });
  });
}
