import { whileDeviceLasts } from '../backends/lost-device';
import { transferColor } from '../color/transfer-color';
import type { EngineOptions } from '../engines/engine-options';
import { isOpenGenerator } from '../engines/is-open-generator';
import { type OpenGenerator, openGeneratorOn } from '../engines/open-generator';
import { predictStyle } from '../engines/predict-style';
import { InvalidArgumentError } from '../errors';
import type { Generator } from '../features/generator';
import { generatorHash } from '../features/generator-hash';
import { resolveSteps, smallestSize } from '../features/generator-steps';
import type { Image } from '../image/image';
import { cropTo, padImage, requireLargeEnough } from '../image/pad-image';
import type { Size } from '../image/size-rule';
import { showText, showValue } from '../options/show';
import { owning } from '../owning';
import type { Platform } from '../platform';
import type { WeightsWarning } from '../storage/progress';
import { atSize } from './at-size';
import type { ColorChoice } from './color';
import type { RunImages } from './moved-colors';
import type { GeneratorRecord } from './settings-record';
import { imagesOf, type OpenedStyle } from './styles';

/** What a generator needs of the run that starts from its picture. */
export interface StartOptions extends EngineOptions {
  readonly color: ColorChoice;
  readonly signal: AbortSignal;
  readonly onWarning: (warning: WeightsWarning) => void;
}

/** A start that a generator paints of the content. */
export interface GeneratorStart {
  /** Throws unless the generator takes images of a size. */
  requireSize(size: Size): void;
  /** For the record of the run; undefined of a user's model, which has no hash. */
  record(): Promise<GeneratorRecord | undefined>;
  /** Paints the content at a size. @returns an image that belongs to the caller */
  paint(platform: Platform<never>, images: RunImages, size: Size, options: StartOptions): Promise<Image>;
}

/**
 * A run's start from the instant picture of a generator. One that paints as any picture paints as the run's styles.
 *
 * @throws InvalidArgumentError if the generator is of several styles, or paints as any picture and the run has only
 *   style files: `stylize()` then makes a picture to start from
 */
export function generatorStart(
  generator: Generator | OpenGenerator,
  styles: readonly OpenedStyle[],
): GeneratorStart {
  const data = isOpenGenerator(generator) ? generator.generator : generator;
  if (data) requireOneStyle(data, styles);
  return {
    requireSize(size) {
      const smallest = isOpenGenerator(generator)
        ? generator.smallest
        : smallestSize(resolveSteps(generator.network));
      requireLargeEnough('size', size, { smallest });
    },
    async record() {
      return data && { of: 'generator', sha256: await generatorHash(data) };
    },
    paint: (platform, { content, styles: images }, size, { color, signal, onWarning, ...engine }) =>
      owning(async ({ temporary, result }) => {
        const photo = temporary(await atSize('content', content, size));
        const open = isOpenGenerator(generator)
          ? generator
          : temporary(await openGeneratorOn(platform)(generator, { ...engine, signal, onWarning }));
        return whileDeviceLasts(async () => {
          const vector = data?.predictor ? await blended(data, images, signal) : new Float32Array(0);
          const whole = temporary(await open.run(temporary(padImage(photo, open)), vector, { signal }));
          const painted = temporary(cropTo(whole, photo.shape));
          // The styles of these runs have got the content's colours, so the start gets them too.
          const isMoved = color !== 'style' && color !== 'content';
          return result(
            isMoved ? await transferColor(painted, photo, { method: color, signal }) : painted.clone(),
          );
        });
      }),
  };
}

/** The style vector of a run's style images, each by its share. */
async function blended(
  generator: Generator,
  styles: RunImages['styles'],
  signal: AbortSignal,
): Promise<Float32Array> {
  const sum = new Float32Array(generator.vectorLength);
  for (const { image, weight } of imagesOf(styles)) {
    const vector = await predictStyle(generator, image, { signal });
    for (let i = 0; i < sum.length; i++) sum[i] += weight * vector[i];
  }
  return sum;
}

function requireOneStyle({ name, vectorLength, predictor }: Generator, styles: readonly OpenedStyle[]): void {
  const file = styles.find((style) => style.file);
  if (vectorLength === 0 || (predictor && !file)) return;
  const accepted = 'a generator of one style, or the picture that stylize() paints by this one';
  const what = predictor
    ? `paints as pictures, and ${file?.option} is a style file`
    : `has several styles, of which a start cannot choose one`;
  const message = `init is the generator ${showValue(showText(name))}, which ${what}; accepted: ${accepted}.`;
  throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, { option: 'init', value: name, accepted });
}
