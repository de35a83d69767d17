import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedStep } from '../../../features/generator-steps';
import type { Work } from '../../../image/in-turns';
import type { KeptTensors } from './kept-tensors';
import { type Applied, apply, type Surroundings } from './operations';

/**
 * Computes the steps in their order.
 *
 * @param input of the first step; freed like the outputs
 * @param surroundingsOf what the step of an index reads beside its inputs
 * @param kept gets the tensors: without a tape, an output is freed after the last step that reads it
 * @param tape gets the steps as they were applied, for {@link backwardPass}
 * @returns the last output
 */
export function* forwardPass(
  steps: readonly ResolvedStep[],
  input: tf.Tensor4D,
  surroundingsOf: (index: number) => Surroundings,
  kept: KeptTensors,
  tape?: Applied[],
): Work<tf.Tensor4D> {
  const outputs = new Map([[-1, input]]);
  const last = lastReaders(steps);
  for (const [i, { step, inputs }] of steps.entries()) {
    const read = inputs.map((index) => outputs.get(index) as tf.Tensor4D);
    const { output } = kept.make(() => {
      const applied = apply(step, read, surroundingsOf(i));
      tape?.push(applied);
      return { output: applied.output, saved: tape ? [...applied.saved] : [] };
    });
    outputs.set(i, output);
    if (!tape)
      kept.free(
        ...[i, ...inputs].filter((index) => last.get(index) === i).map((index) => outputs.get(index)),
      );
    yield;
  }
  return outputs.get(steps.length - 1) as tf.Tensor4D;
}

/**
 * Computes the steps backwards.
 *
 * @param gradient with respect to the last output
 * @returns the gradients with respect to the parameters that the output depends on, by name
 */
export function* backwardPass(
  steps: readonly ResolvedStep[],
  tape: readonly Applied[],
  gradient: tf.Tensor4D,
  kept: KeptTensors,
): Work<ReadonlyMap<string, tf.Tensor>> {
  const ofOutputs = new Map<number, tf.Tensor>([[steps.length - 1, gradient]]);
  const ofParameters = new Map<string, tf.Tensor>();
  for (let i = steps.length - 1; i >= 0; i--) {
    const ofOutput = ofOutputs.get(i);
    if (!ofOutput) continue;
    const { inputs } = steps[i];
    const found = kept.make(() => {
      const { inputs: adjoints, parameters = {} } = tape[i].back(ofOutput as tf.Tensor4D);
      // That of the image is not needed. Clones, because the gradient of a sum is that of both summands.
      const ofInputs = adjoints.map((adjoint, k) => (inputs[k] < 0 ? undefined : tf.clone(adjoint())));
      return { ofInputs, parameters: { ...parameters } };
    });
    kept.free(ofOutput);
    for (const [k, one] of found.ofInputs.entries()) accumulate(kept, ofOutputs, inputs[k], one);
    for (const [name, one] of Object.entries(found.parameters)) accumulate(kept, ofParameters, name, one);
    yield;
  }
  return ofParameters;
}

function accumulate<Key>(
  kept: KeptTensors,
  sums: Map<Key, tf.Tensor>,
  key: Key,
  summand: tf.Tensor | undefined,
): void {
  const before = sums.get(key);
  if (!summand) return;
  sums.set(key, before ? kept.make(() => tf.add(before, summand)) : summand);
  if (before) kept.free(before, summand);
}

/** The last step that reads each output; a step that none reads is its own, and the last output is not listed. */
export function lastReaders(steps: readonly ResolvedStep[]): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  for (const [i, { inputs }] of steps.entries()) {
    for (const index of [i, ...inputs]) last.set(index, i);
  }
  last.delete(steps.length - 1);
  return last;
}
