import { WeightsError } from '../errors';
import { showText } from '../options/show';

/** A step that names what it reads. */
interface ReadingStep {
  readonly name: string;
  /** @default the step before */
  readonly from?: string | undefined;
  /** A second input. */
  readonly with?: string;
}

/** A step with the indices of the steps that it reads, one or two; -1 is the image. */
interface StepInputs<Step> {
  readonly step: Step;
  readonly inputs: readonly number[];
  /** The error for a step that does not fit: what it does, and what is accepted. */
  refuse(what: string, accepted: string): WeightsError;
}

/**
 * The steps of a network in their order, with what they read.
 *
 * @param network the network in errors: `'generator'`
 * @throws WeightsError `UNSUPPORTED_NETWORK` if a step reads none of those before it, or has the name of one of them
 */
export function* stepInputs<Step extends ReadingStep>(
  network: 'generator' | 'predictor',
  { name, steps }: { readonly name: string; readonly steps: readonly Step[] },
): Generator<StepInputs<Step>, void, undefined> {
  const indices = new Map([['input', -1]]);
  for (const [i, step] of steps.entries()) {
    const refuse = (what: string, accepted: string) =>
      new WeightsError(
        'UNSUPPORTED_NETWORK',
        `Step ${showText(step.name)} of the ${network} ${showText(name)} ${what}; accepted: ${accepted}.`,
        { option: step.name, value: what, accepted },
      );
    const indexOf = (read: string) => {
      const index = indices.get(read);
      if (index === undefined) throw refuse(`reads '${showText(read)}'`, 'a step before it');
      return index;
    };
    if (indices.has(step.name)) throw refuse('has the name of another step', 'names of their own');
    const first = step.from === undefined ? i - 1 : indexOf(step.from);
    yield { step, inputs: step.with === undefined ? [first] : [first, indexOf(step.with)], refuse };
    indices.set(step.name, i);
  }
}
