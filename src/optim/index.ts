export { type AdamOptions, adam } from './adam';
export type { Vector } from './box';
export { type History, historyBytes } from './history';
export { type LbfgsOptions, lbfgs } from './lbfgs';
export type { Method } from './method';
export {
  type MinimizeObjective,
  type MinimizeOptions,
  minimize,
  type ScalarOf,
} from './minimize';
export type { BestPoint, MinimizeResult, MinimizeStep, StopReason } from './minimize-in';
export type { ObjectiveFunction, ObjectiveValue, Problem } from './problem';
export {
  type PyramidOptions,
  type PyramidPreconditioner,
  pyramidPreconditioner,
} from './pyramid-preconditioner';
export type { StopWhen, Tolerance } from './stop-rule';
export type { Bounds, Preconditioner, Quantity, VectorSpace } from './vector-space';
