import { type Generator, parametersOf } from '../features/generator';
import { resolveSteps, sizeMultiple, smallestSize } from '../features/generator-steps';
import { requireGenerator } from '../features/is-generator';
import type { Image } from '../image/image';
import type { GeneratorSizes } from '../image/pad-image';
import type { ImageInput } from '../image/to-image';
import { abortSignal, callback, optionTable } from '../options/table';
import { disposable, Lifetime } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import type { WeightsWarning } from '../storage/progress';
import { type EngineOptions, engineOptions } from './engine-options';
import { loadProgram } from './load-program';

/** Options of {@link openGenerator}. */
export interface OpenGeneratorOptions extends EngineOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called for problems that do not prevent opening: threads that do not start, another engine in place of one. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/** A generator in an engine, ready to paint many pictures. */
export interface OpenGenerator extends GeneratorSizes {
  readonly kind: 'openGenerator';
  readonly name: string;
  /** The generator itself; undefined of a user's model. */
  readonly generator: Generator | undefined;
  /**
   * Paints an image whose sides are multiples of {@link GeneratorSizes.multiple}. Calls are served one after another.
   *
   * @param style the style vector, of the generator's `vectorLength`
   * @returns an image that belongs to the caller
   */
  run(image: Image, style: ArrayLike<number>, options?: OpenRunOptions): Promise<Image>;
  /** Frees the engine's memory. Safe to call twice; any later use throws `DISPOSED`. */
  dispose(): void;
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void;
}

/** Options of {@link OpenGenerator.run}. */
export interface OpenRunOptions {
  /** Seed of noise. @default 0 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const openOptions = optionTable<OpenGeneratorOptions>()('openGenerator', {
  ...engineOptions,
  signal: abortSignal(),
  onWarning: callback<(warning: WeightsWarning) => void>(),
});

/** `openGenerator` on a platform. */
export type OpenGeneratorOn = (
  generator: Generator,
  options?: OpenGeneratorOptions,
) => Promise<OpenGenerator>;

/** Makes `openGenerator` for a platform. */
export const openGeneratorOn =
  (platform: Platform<never>): OpenGeneratorOn =>
  async (generator, options) => {
    requireGenerator('generator', generator);
    const { signal, onWarning, ...engine } = openOptions.read(options);
    const { network } = generator;
    const steps = resolveSteps(network);
    await requireBackend(platform, onWarning);
    const style = new Float32Array(generator.vectorLength);
    const weights = generator.weights;
    const program = await loadProgram({ network, weights }, engine, { signal, onWarning });
    const lifetime = new Lifetime('The generator');
    let placed = '';
    let queue: Promise<unknown> = Promise.resolve();
    return disposable({
      kind: 'openGenerator',
      name: generator.name,
      generator,
      multiple: sizeMultiple(steps),
      smallest: smallestSize(steps),
      run(image, vector, runOptions) {
        const turn = queue.then(() => {
          lifetime.requireAlive();
          const key = Array.from(vector).join();
          if (style.length > 0 && key !== placed) {
            program.setParameters(parametersOf(generator, vector));
            placed = key;
          }
          return program.run(image, runOptions);
        });
        queue = turn.catch(() => undefined);
        return turn;
      },
      dispose() {
        if (lifetime.end()) program.dispose();
      },
    } satisfies Omit<OpenGenerator, typeof Symbol.dispose>);
  };

/**
 * Loads a generator into an engine, for many pictures: `stylize` takes it in place of the generator, and does not load
 * it anew for each.
 *
 * @param generator remains the caller's
 * @returns the open generator, which belongs to the caller, also as `using open = ...`
 * @throws InvalidArgumentError if an option is unknown or options conflict; EnvironmentError if no tfjs backend is set
 *   up, or the chosen engine does not run here
 * @example
 * ```ts
 * using open = await openGenerator(generator, { threads: 2 });
 * for (const photo of photos) show((await stylize(photo, open)).image);
 * ```
 */
export const openGenerator: OpenGeneratorOn = /* @__PURE__ */ openGeneratorOn(
  anyPlatform as Platform<ImageInput> as Platform<never>,
);
