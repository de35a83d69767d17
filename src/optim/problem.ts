import type * as tf from '@tensorflow/tfjs-core';
import type { Method } from './method';
import { type MinimizeResult, type MinimizeSettings, type MinimizeStep, minimizeIn } from './minimize-in';
import type { ObjectiveValue } from './run';
import type { Bounds, VectorSpace } from './vector-space';

/** A memory beside the engine that evaluates an objective over tensors, where vectors `V` stand for them. */
export interface Workspace<V = unknown> {
  /** Of this run alone. */
  readonly space: VectorSpace<V, number>;
  /** The objective at a vector of the space. */
  evaluate(x: V): ObjectiveValue<V, number>;
  /** A new vector with a tensor's numbers. */
  vectorOf(tensor: tf.Tensor): V;
  /** A new tensor with a vector's numbers. */
  tensorOf(vector: V): tf.Tensor;
  /** Throws an `EnvironmentError` unless so many vectors fit. */
  requireRoom(vectors: number): void;
}

/** `minimizeIn` for a start, bounds, callback and result of tensors, with every other vector in the workspace. */
export async function minimizeInWorkspace<V, T extends tf.Tensor>(
  workspace: Workspace<V>,
  start: T,
  settings: MinimizeSettings<T>,
): Promise<MinimizeResult<T>> {
  const { space } = workspace;
  try {
    workspace.requireRoom((settings.method.vectors ?? 0) + ownVectors);
    const found = await minimizeIn(space, (x) => workspace.evaluate(x), workspace.vectorOf(start), {
      ...settings,
      // Methods know vectors by their space only.
      method: settings.method as unknown as Method<V>,
      bounds: boundsIn(workspace, settings.bounds),
      onStep: settings.onStep && ((step) => tell(workspace, step, settings.onStep)),
    });
    space.adopt(found.x);
    return { ...found, x: workspace.tensorOf(found.x) as T };
  } finally {
    space.close();
  }
}

/** The start, two bounds, and what a preconditioner may need. */
const ownVectors = 4;

function boundsIn<V>(workspace: Workspace<V>, bounds: Bounds<tf.Tensor> | undefined): Bounds<V> | undefined {
  const bound = (tensorOrNumber: tf.Tensor | number | undefined) =>
    typeof tensorOrNumber === 'object' ? workspace.vectorOf(tensorOrNumber) : tensorOrNumber;
  return bounds && { lower: bound(bounds.lower), upper: bound(bounds.upper) };
}

/** Makes a tensor of the step's point if the callback looks at it, and frees it afterwards. */
async function tell<V, T extends tf.Tensor>(
  workspace: Workspace<V>,
  step: MinimizeStep<V>,
  onStep: MinimizeSettings<T>['onStep'],
): Promise<unknown> {
  let tensor: T | undefined;
  try {
    return await onStep?.({
      ...step,
      get x() {
        tensor ??= workspace.tensorOf(step.x) as T;
        return tensor;
      },
    });
  } finally {
    tensor?.dispose();
  }
}
