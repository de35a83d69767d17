import { InvalidArgumentError } from '../errors';
import { showValue } from '../validate';

/** For a vector that an objective or a preconditioner returned and that is none of the run's space. */
export function wrongShape(value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'WRONG_SHAPE',
    `The objective or preconditioner returned ${showValue(value)}; accepted: ${accepted}.`,
    {
      option: 'objective',
      value,
      accepted,
    },
  );
}
