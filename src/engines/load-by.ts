import { EnvironmentError, WeightsError } from '../errors';
import type { WeightsWarning } from '../storage/progress';
import type { Engine } from './engine';

/**
 * Loads something with the first engine that starts; a warning gives the reason if an earlier one did not.
 *
 * @param engines one or more, the preferred one first
 */
export async function loadBy<T>(
  [engine, ...others]: readonly Engine[],
  load: (engine: Engine) => Promise<T>,
  onWarning: ((warning: WeightsWarning) => void) | undefined,
): Promise<T> {
  try {
    return await load(engine);
  } catch (error) {
    if (others.length === 0 || !isOfEngine(error)) throw error;
    const message = `Engine '${others[0].name}' computes in place of '${engine.name}'. ${error.message}`;
    onWarning?.({ code: 'ENGINE_UNAVAILABLE', message });
    return loadBy(others, load, onWarning);
  }
}

/** Whether to try the next engine after an error. */
function isOfEngine(error: unknown): error is EnvironmentError | WeightsError {
  if (error instanceof EnvironmentError) return error.code !== 'THREADS_UNAVAILABLE';
  return error instanceof WeightsError && error.code === 'UNSUPPORTED_NETWORK';
}
