import type * as tf from '@tensorflow/tfjs-core';
import { expectTypeOf, it } from 'vitest';
import type { Image } from '../../src/image/image';
import type { Objective } from '../../src/objective';
import {
  adam,
  type LbfgsOptions,
  lbfgs,
  type Method,
  type MinimizeObjective,
  type MinimizeOptions,
  type MinimizeResult,
  type MinimizeStep,
  minimize,
  type Preconditioner,
  type Problem,
  type PyramidPreconditioner,
  pyramidPreconditioner,
  type ScalarOf,
  type StopReason,
  type Tolerance,
  type Vector,
} from '../../src/optim';

const parabola = (x: Float64Array) => ({ value: x[0], gradient: x });
declare const objective: Objective;
declare const image: Image;

it('minimize is typed by its start', () => {
  const overArrays = () => minimize(parabola, new Float64Array(1));
  expectTypeOf(overArrays).returns.resolves.toEqualTypeOf<MinimizeResult<Float64Array>>();
  const overImages = () => minimize(objective, image);
  expectTypeOf(overImages).returns.resolves.toEqualTypeOf<MinimizeResult<Image>>();
  expectTypeOf<MinimizeResult<Image>['x']>().toEqualTypeOf<Image>();
  expectTypeOf<MinimizeResult<Image>['stopReason']>().toEqualTypeOf<StopReason>();
  // @ts-expect-error a gradient is no number
  (): unknown => minimize((x: Float64Array) => ({ value: x[0], gradient: 1 }), new Float64Array(1));
  // @ts-expect-error an objective over images does not take arrays
  (): unknown => minimize(objective, new Float64Array(1));
  // @ts-expect-error plain arrays are no vectors
  (): unknown => minimize(() => ({ value: 1, gradient: [1] }), [1]);
});

it('options are typed by the vectors of the caller', () => {
  expectTypeOf<MinimizeOptions<Image>['method']>().toEqualTypeOf<Method<Image> | undefined>();
  expectTypeOf<MinimizeOptions<Image>['bounds']>().toEqualTypeOf<
    readonly [lower: number | Image, upper: number | Image] | undefined
  >();
  expectTypeOf<MinimizeOptions<Image>['tolerance']>().toEqualTypeOf<number | Tolerance | undefined>();
  expectTypeOf<Parameters<NonNullable<MinimizeOptions<Image>['onStep']>>>().toEqualTypeOf<
    [MinimizeStep<Image>]
  >();
  expectTypeOf<ScalarOf<Image>>().toEqualTypeOf<tf.Scalar>();
  expectTypeOf<ScalarOf<Float64Array>>().toEqualTypeOf<number>();
  expectTypeOf<Vector>().toEqualTypeOf<Float64Array | tf.Tensor>();
  // @ts-expect-error no such option
  (): unknown => minimize(parabola, new Float64Array(1), { maxiterations: 1 });
});

it('methods fit the vectors that their preconditioners take', () => {
  expectTypeOf(lbfgs()).toEqualTypeOf<Method<unknown>>();
  expectTypeOf(adam()).toEqualTypeOf<Method<unknown>>();
  expectTypeOf(pyramidPreconditioner()).toEqualTypeOf<PyramidPreconditioner>();
  expectTypeOf<PyramidPreconditioner>().toExtend<Preconditioner<tf.Tensor3D>>();
  expectTypeOf<LbfgsOptions<Image>['preconditioner']>().toEqualTypeOf<Preconditioner<Image> | undefined>();
  const images = (): unknown =>
    minimize(objective, image, { method: lbfgs({ preconditioner: pyramidPreconditioner() }) });
  expectTypeOf(images).returns.toBeUnknown();
  const forImages = lbfgs<Image>({ preconditioner: pyramidPreconditioner() });
  // @ts-expect-error a preconditioner of images does not take arrays
  (): unknown => minimize(parabola, new Float64Array(1), { method: forImages });
});

it('an objective may bring a problem over any vectors and scalars', () => {
  interface Buffer {
    readonly id: number;
  }
  expectTypeOf<Problem<Buffer, Buffer>>().toExtend<Problem<unknown, unknown>>();
  expectTypeOf<Objective>().toExtend<MinimizeObjective<Image>>();
  expectTypeOf<Problem<Buffer, Buffer>['toVector']>().parameter(0).toEqualTypeOf<tf.Tensor>();
  expectTypeOf<
    Problem<Float64Array, number, Float64Array>['fromVector']
  >().returns.toEqualTypeOf<Float64Array>();
});
