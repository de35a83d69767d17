import type { EngineExtractor } from '../engines/engine';
import { requireLoss } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { type Owner, owning } from '../owning';
import type { Settings } from './options';
import { type StyledTargets, stylesLoss, withGrams } from './preset-loss';

/**
 * The loss of a run: the caller's, the result of the caller's function, or the preset's.
 *
 * @param owner frees the loss after the run, unless it is the caller's
 * @throws InvalidArgumentError `NOT_A_LOSS` if the caller's function returns something else; any error of that function
 */
export async function makeLoss(
  { loss, preset, alpha, beta, signal }: Settings,
  targets: StyledTargets,
  { temporary }: Owner,
): Promise<Loss> {
  if (loss === undefined) {
    const styles = await withGrams(preset, targets, signal);
    return temporary(stylesLoss(preset, { ...targets, styles }, { alpha, beta }));
  }
  if (typeof loss === 'object') return loss;
  const { content, styles } = targets;
  const made = await owning(async (owner) => {
    const extractor = lend(targets.extractor, owner);
    return loss({ extractor, content, style: styles[0].image });
  });
  requireLoss('what loss() returned', made);
  return temporary(made);
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
