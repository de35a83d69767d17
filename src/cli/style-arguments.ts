import { InvalidArgumentError } from '../errors';
import type { NodeImageInput } from '../node/image-input';
import type { StyleInput } from '../transfer/styles';

/** Style arguments by the names that messages use: `style`, `style 2`, `style 3`. */
export function namedStyles(styles: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(styles.map((style, i) => [nameOf(i), style]));
}

const nameOf = (index: number) => (index === 0 ? 'style' : `style ${index + 1}`);

/** Throws unless there is a weight for each style. */
export function requireWeightEach(
  styles: readonly string[],
  styleWeights: readonly number[] | undefined,
): void {
  if (styleWeights === undefined || styleWeights.length === styles.length) return;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const accepted = `one for each of ${count(styles.length, 'style')}`;
  throw new InvalidArgumentError(
    'WRONG_LENGTH',
    `styleWeights has ${count(styleWeights.length, 'number')}; accepted: ${accepted}.`,
    { option: 'styleWeights', value: styleWeights, accepted },
  );
}

/**
 * The second argument of `styleTransfer` for the arguments of a command: a single style itself, several as a list with
 * their weights.
 *
 * @param read reads an argument that stands for stdin; any other it returns
 */
export async function styleArgument(
  styles: readonly string[],
  styleWeights: readonly number[] | undefined,
  read: (name: string, style: string) => Promise<string | Uint8Array>,
): Promise<StyleInput<NodeImageInput>> {
  const inputs: (string | Uint8Array)[] = [];
  for (const [i, style] of styles.entries()) inputs.push(await read(nameOf(i), style));
  if (inputs.length === 1) return inputs[0];
  return inputs.map((image, i) => ({ image, weight: styleWeights?.[i] }));
}
