import { InvalidArgumentError } from '../errors';

/** An option that replaces others; giving both is an error, because the others would be ignored silently. */
export interface Conflict<Name extends string> {
  readonly option: Name;
  /** The options that have no effect beside `option`. */
  readonly replaces: readonly Name[];
  /** Why, for the message: `'the loss decides what is minimised'`. */
  readonly because: string;
}

/**
 * Throws if two given options conflict, so that one would have no effect.
 *
 * @param given the options as the caller wrote them, before defaults; `undefined` counts as not given
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS`, which names both options
 */
export function requireNoConflict<Name extends string>(
  given: Readonly<Partial<Record<Name, unknown>>>,
  conflicts: readonly Conflict<Name>[],
): void {
  for (const { option, replaces, because } of conflicts) {
    if (given[option] === undefined) continue;
    const dead = replaces.find((name) => given[name] !== undefined);
    if (dead === undefined) continue;
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `${dead} has no effect beside ${option}: ${because}. Leave one of the two out.`,
      {
        option: dead,
        value: given[dead],
        accepted: `${dead} without ${option}, or ${option} without ${dead}`,
      },
    );
  }
}
