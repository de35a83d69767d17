import { WeightsError } from '../../errors';
import type { NetworkStep } from '../../features/network';
import { showText } from '../../options/show';

/** An operation of a network's step. */
export type Op = NetworkStep['op'];

/**
 * Throws unless an engine has every operation of a network.
 *
 * @param engine its name, for the message
 * @param ops its operations
 * @throws WeightsError `UNSUPPORTED_NETWORK`, which names the first operation that is missing
 */
export function requireOps(engine: string, ops: readonly Op[], steps: readonly NetworkStep[]): void {
  const step = steps.find(({ op }) => !ops.includes(op));
  if (!step) return;
  const [op, layer] = [showText(step.op), showText(step.name)];
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The ${engine} engine has no operation '${op}', which ${layer} needs; accepted: ${ops.join(', ')}.`,
    { option: step.name, value: step.op, accepted: ops },
  );
}
