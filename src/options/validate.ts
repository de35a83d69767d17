import { InvalidArgumentError } from '../errors';
import { showText, showValue } from './show';

/** The name of `known` nearest to `name`, if any is at most a third of its letters away. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // Far longer than any name, and the time of the comparison grows with the square of the length.
  if (name.length > 64) return undefined;
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Number of letters to change, add, remove or swap with their neighbour (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          rows[i - 1][j - 1] + (same ? 0 : 1),
          rows[i - 1][j] + 1,
          row[j - 1] + 1,
          swapped ? rows[i - 2][j - 2] + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** Throws unless `value` is one of `known`; the message names the nearest. */
export function requireName<Name extends string>(
  option: string,
  value: unknown,
  known: readonly Name[],
): asserts value is Name {
  if (typeof value === 'string' && (known as readonly string[]).includes(value)) return;
  const near = typeof value === 'string' ? nearestName(value, known) : undefined;
  throw new InvalidArgumentError(
    'UNKNOWN_NAME',
    `${option} is ${showValue(value)}${near ? `; did you mean '${near}'?` : '.'} Accepted: ${known.join(', ')}.`,
    { option, value, accepted: known },
  );
}

/** Throws unless every key of `options` is one of `known`; the message names the nearest. */
export function requireKnownOptions(caller: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    throw new InvalidArgumentError(
      'UNKNOWN_OPTION',
      `${caller} has no option '${showText(key)}'${near ? `; did you mean '${near}'?` : '.'} It takes: ${known.join(', ') || 'none'}.`,
      { option: key, value: (options as Record<string, unknown>)[key], accepted: known },
    );
  }
}

/** Conditions of {@link requireNumber} beside finiteness. */
export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** The bounds themselves are not accepted. */
  readonly exclusive?: boolean;
  readonly integer?: boolean;
  /** Infinity is accepted too: no limit. */
  readonly infinite?: boolean;
}

/** Throws unless `value` is a finite number in the range. */
export function requireNumber(
  option: string,
  value: unknown,
  range: NumberRange = {},
): asserts value is number {
  const { min = -Infinity, max = Infinity, exclusive = false, integer = false, infinite = false } = range;
  if (infinite && value === Infinity) return;
  const inside =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (exclusive ? value > min && value < max : value >= min && value <= max) &&
    (!integer || Number.isInteger(value));
  if (inside) return;
  const accepted = acceptedNumbers(range);
  throw new InvalidArgumentError('OUT_OF_RANGE', `${option} is ${showValue(value)}; accepted: ${accepted}.`, {
    option,
    value,
    accepted,
  });
}

/** A range in words: `'a whole number from 1 to 64'`. */
export function acceptedNumbers({
  min = -Infinity,
  max = Infinity,
  exclusive,
  integer,
  infinite,
}: NumberRange): string {
  if (infinite) return `${acceptedNumbers({ min, max, exclusive, integer })}, or Infinity`;
  const kind = integer ? 'a whole number' : 'a finite number';
  const [hasMin, hasMax] = [Number.isFinite(min), Number.isFinite(max)];
  if (hasMin && hasMax)
    return exclusive ? `${kind} between ${min} and ${max}, both excluded` : `${kind} from ${min} to ${max}`;
  if (hasMin) return exclusive ? `${kind} above ${min}` : `${kind} of at least ${min}`;
  if (hasMax) return exclusive ? `${kind} below ${max}` : `${kind} of at most ${max}`;
  return kind;
}
