import { ComputationError } from '../errors';

/** Throws unless the first evaluation was finite: there is no point to go back to. */
export function requireFiniteStart({
  value,
  finite,
}: {
  readonly value: number;
  readonly finite: boolean;
}): void {
  if (finite) return;
  throw new ComputationError(
    'NOT_FINITE',
    `The objective (${value}) or its gradient is not finite at the start; there is no point to go back to.`,
    { option: 'start', value, accepted: 'a start where value and gradient are finite' },
  );
}
