import * as tf from '@tensorflow/tfjs-core';
import { showText } from '../options/show';
import type { EngineLoadOptions, GeneratorProgram, LoadedGenerator } from './engine';
import { type EngineOptions, enginesFor, passedOver } from './engine-options';
import { loadBy } from './load-by';
import { loadTfjsGenerator } from './tfjs/tfjs-engine';

/**
 * Loads a feed-forward network by the rule by which `loadVgg19` chooses an engine. Where the engine has no feed-forward
 * networks, operations of tfjs compute, and a warning says so.
 *
 * @returns a program on the active backend; it belongs to the caller
 * @throws InvalidArgumentError for options of engines that conflict; EnvironmentError if the chosen engine does not run
 *   here; WeightsError if the network's steps do not fit together or a tensor is missing
 */
export async function loadProgram(
  generator: LoadedGenerator,
  engineOptions: EngineOptions,
  options: EngineLoadOptions = {},
): Promise<GeneratorProgram> {
  const { onWarning } = options;
  const engines = enginesFor(engineOptions, tf.getBackend());
  const warning = (engineOptions.engine ?? 'auto') === 'auto' && passedOver(tf.getBackend(), engines[0]);
  if (warning) onWarning?.(warning);
  const load = async (engine: (typeof engines)[number]) => {
    if (engine.loadGenerator) return engine.loadGenerator(generator, options);
    const message = `Engine 'tfjs' computes in place of '${showText(engine.name)}', which has no feed-forward networks.`;
    onWarning?.({ code: 'ENGINE_UNAVAILABLE', message });
    return loadTfjsGenerator(generator);
  };
  return loadBy(engines, load, onWarning);
}
