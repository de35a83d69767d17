import type { StyleVideoOptions } from './options';

/**
 * The options of a film whose `settings` are those of a run: what they leave out is as the record says. `settings`
 * itself is not among them.
 *
 * @throws InvalidArgumentError `MALFORMED_SETTINGS`, `UNSUPPORTED_SETTINGS`, or `NOT_REPLAYABLE` if the record lacks
 *   what is not given
 */
export async function repeatedOptions<Input>(
  given: StyleVideoOptions<Input>,
): Promise<StyleVideoOptions<Input>> {
  if (typeof given !== 'object' || given === null || !('settings' in given)) return given;
  const { settings, ...options } = given;
  if (settings === undefined) return options;
  // Most films repeat no run.
  const { replayArguments } = await import('../transfer/replay');
  const { onProgress, ...others } = options;
  const all = { ...others, settings };
  const [{ settings: _, ...complete }] = replayArguments<Input>([all], all) as [StyleVideoOptions<Input>];
  return { ...complete, onProgress };
}
