import type { EngineExtractor } from '../engines/engine';
import { requireLoss } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { type Owner, owning } from '../owning';
import type { Settings } from './options';
import { type GramTargets, type LossTargets, lossOfGrams } from './preset-loss';
import { styleGrams } from './style-grams';
import type { WeightedStyle } from './styles';

/** The inputs of a run's loss. */
export interface RunTargets extends Omit<GramTargets, 'grams'> {
  readonly styles: readonly WeightedStyle[];
}

/**
 * The loss of a run: the caller's, the result of the caller's function, or the preset's.
 *
 * @param owner frees the loss after the run, unless it is the caller's
 * @throws InvalidArgumentError `NOT_A_LOSS` if the caller's function returns something else; any error of that function
 */
export async function makeLoss(
  { loss, preset, alpha, beta, signal }: Settings,
  targets: RunTargets,
  { temporary }: Owner,
): Promise<Loss> {
  const { styles, ...others } = targets;
  if (loss === undefined) {
    const { extractor, room } = others;
    const grams = await styleGrams(extractor, preset.style, styles, { signal, room });
    return temporary(lossOfGrams(preset, { ...others, grams }, { alpha, beta }));
  }
  if (typeof loss === 'object') return loss;
  const images = shares(styles);
  const made = await owning(async (owner) => {
    const extractor = lend(others.extractor, owner);
    return loss({ ...others, extractor, style: images[0].image, styles: images });
  });
  requireLoss('what loss() returned', made);
  return temporary(made);
}

/** Style images with weights that add up to 1. Style files are refused beside a custom loss before any work. */
function shares(styles: readonly WeightedStyle[]): LossTargets['styles'] {
  const total = styles.reduce((sum, { weight }) => sum + weight, 0);
  return styles.flatMap(({ image, weight }) => (image ? [{ image, weight: weight / total }] : []));
}

/**
 * An extractor for the caller's function. Its features are freed when the loss has been made, because losses copy the
 * features that they need; its `dispose` does nothing.
 */
function lend(
  extractor: EngineExtractor,
  { temporary }: Owner,
): Record<keyof EngineExtractor, unknown> & EngineExtractor {
  const { name, layers, engine, threads, weights, embedded, identity } = extractor;
  // Every member by name, which the type checks: a spread would lose the methods of a class.
  return {
    name,
    layers,
    engine,
    threads,
    weights,
    embedded,
    identity,
    extract: (image, wanted) => temporary(extractor.extract(image, wanted)),
    extractEach: extractor.extractEach?.bind(extractor),
    linearize: (image, wanted) => temporary(extractor.linearize(image, wanted)),
    gramMatrices: extractor.gramMatrices?.bind(extractor),
    gramMatricesInTurns: extractor.gramMatricesInTurns?.bind(extractor),
    objective: extractor.objective?.bind(extractor),
    plan: extractor.plan?.bind(extractor),
    vectorRoom: extractor.vectorRoom,
    dispose: () => {},
  };
}
