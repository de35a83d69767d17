import type { EngineExtractor } from '../engines/engine';

/**
 * An extractor for others to use: its `dispose` does nothing.
 *
 * @param extractor remains the caller's
 * @param changes members in place of the extractor's own
 */
export function lendExtractor(
  extractor: EngineExtractor,
  changes: Partial<EngineExtractor> = {},
): Record<keyof EngineExtractor, unknown> & EngineExtractor {
  const { name, layers, engine, threads, weights, embedded, identity, vectorRoom } = extractor;
  // Every member by name, which the type checks: a spread would lose the methods of a class.
  return {
    name,
    layers,
    engine,
    threads,
    weights,
    embedded,
    identity,
    vectorRoom,
    extract: extractor.extract.bind(extractor),
    extractEach: extractor.extractEach?.bind(extractor),
    linearize: extractor.linearize.bind(extractor),
    gramMatrices: extractor.gramMatrices?.bind(extractor),
    gramMatricesInTurns: extractor.gramMatricesInTurns?.bind(extractor),
    verified: extractor.verified?.bind(extractor),
    objective: extractor.objective?.bind(extractor),
    plan: extractor.plan?.bind(extractor),
    ...changes,
    dispose: () => {},
  };
}
