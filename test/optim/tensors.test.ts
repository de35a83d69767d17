import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { adam, lbfgs, minimize, pyramidPreconditioner } from '../../src/optim';
import { expectNoLeak } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import { numbersOf } from '../support/to-be-allclose';

const shape: [number, number, number] = [5, 7, 3];
const size = 105;
const curvature = Float64Array.from({ length: size }, (_, i) => Math.fround(1 + 9 * Math.sin(i) ** 2));
const center = Float64Array.from({ length: size }, (_, i) => Math.fround(0.5 + 0.7 * Math.sin(3 * i)));

/** 1/2 sum of curvature (x - center)^2 on tensors; its terms are what lies left and right of the centre. */
class TensorQuadratic {
  readonly curvature = tf.tensor3d(Float32Array.from(curvature), shape);
  readonly center = tf.tensor3d(Float32Array.from(center), shape);
  evaluations = 0;

  evaluate(x: tf.Tensor3D) {
    this.evaluations++;
    const away = tf.sub(x, this.center);
    const gradient = tf.mul<tf.Tensor3D>(this.curvature, away);
    const part = (side: tf.Tensor) => tf.tidy(() => tf.mul(0.5, tf.sum(tf.mul(gradient, side))) as tf.Scalar);
    const [left, right] = [
      tf.tidy(() => part(tf.neg(tf.relu(tf.neg(away))))),
      tf.tidy(() => part(tf.relu(away))),
    ];
    const value = tf.add<tf.Scalar>(left, right);
    away.dispose();
    return { value, gradient, terms: { left, right } };
  }

  dispose(): void {
    tf.dispose([this.curvature, this.center]);
  }
}

/** The same in double precision. */
const arrayQuadratic = (x: Float64Array) => {
  const gradient = x.map((component, i) => curvature[i] * (component - center[i]));
  return {
    value: x.reduce((sum, component, i) => sum + 0.5 * gradient[i] * (component - center[i]), 0),
    gradient,
  };
};

const methods = { lbfgs: lbfgs(), adam: adam() };
const names = ['lbfgs', 'adam'] as const;

describe('minimize over tensors', () => {
  onEachBackend(() => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    it.each(names)('takes the steps that it takes over Float64Arrays: %s', async (name) => {
      const objective = new TensorQuadratic();
      const start = tf.zeros<tf.Rank.R3>(shape);
      const options = { bounds: [0, 1], maxIterations: 8 } as const;
      const paths: { tensors: number[][]; arrays: number[][] } = { tensors: [], arrays: [] };
      const found = await minimize(objective, start, {
        ...options,
        method: methods[name],
        onStep: async ({ x, value }) => void paths.tensors.push([value, ...(await x.data())]),
      });
      await minimize(arrayQuadratic, new Float64Array(size), {
        ...options,
        method: methods[name],
        onStep: ({ x, value }) => paths.arrays.push([value, ...x]),
      });
      expect(paths.tensors).toBeAllclose(paths.arrays, { rtol: 1e-4, atol: 1e-5 });
      expect(found.terms.left + found.terms.right).toBeAllclose(found.value, { rtol: 1e-6 });
      objective.dispose();
      tf.dispose([start, found.x]);
    });

    it('finds the minimum in the box, with a preconditioner and bounds that are tensors', async () => {
      const objective = new TensorQuadratic();
      const start = tf.fill<tf.Rank.R3>(shape, 0.5);
      const bounds = [tf.zeros<tf.Rank.R3>(shape), tf.ones<tf.Rank.R3>(shape)] as const;
      const { x, stopReason } = await minimize(objective, start, {
        method: lbfgs({ preconditioner: pyramidPreconditioner() }),
        bounds,
        tolerance: 1e-2,
      });
      expect(stopReason).toBe('converged');
      expect(await numbersOf(x)).toBeAllclose(
        center.map((c) => Math.min(1, Math.max(0, c))),
        { atol: 1e-2 },
      );
      objective.dispose();
      tf.dispose([start, x, ...bounds]);
    });

    it.each(names)('leaves nothing behind but its result, however it ends: %s', async (name) => {
      const objective = new TensorQuadratic();
      const start = tf.zeros<tf.Rank.R3>(shape);
      const method = methods[name];
      const { x } = await expectNoLeak(() =>
        minimize(objective, start, { method, bounds: [0, 1], maxIterations: 30 }),
      );
      x.dispose();
      const stopped = await expectNoLeak(() =>
        minimize(objective, start, { method, onStep: ({ iteration }) => iteration < 4 }),
      );
      stopped.x.dispose();

      const controller = new AbortController();
      const reason = new Error('enough');
      const onStep = ({ iteration }: { iteration: number }) => {
        if (iteration === 3) controller.abort(reason);
      };
      const failing = (at: tf.Tensor3D) => {
        if (objective.evaluations % 7 === 6) throw reason;
        return objective.evaluate(at);
      };
      const misshapen = (at: tf.Tensor3D) => {
        const { gradient, ...rest } = objective.evaluate(at);
        const flat = tf.reshape<tf.Rank.R1>(gradient, [size]) as tf.Tensor as tf.Tensor3D;
        gradient.dispose();
        return { ...rest, gradient: flat };
      };
      const infinite = (at: tf.Tensor3D) => {
        const { value, ...rest } = objective.evaluate(at);
        const broken = tf.div<tf.Scalar>(value, 0);
        value.dispose();
        return { ...rest, value: broken };
      };
      await expectNoLeak(async () => {
        await expect(minimize(objective, start, { method, signal: controller.signal, onStep })).rejects.toBe(
          reason,
        );
        await expect(minimize(failing, start, { method })).rejects.toBe(reason);
        await expect(minimize(misshapen, start, { method })).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
        await expect(minimize(infinite, start, { method })).rejects.toMatchObject({ code: 'NOT_FINITE' });
      });
      expect(start.isDisposed).toBe(false);
      objective.dispose();
      start.dispose();
    });

    it.each(names)('waits for the device once an evaluation, for a few numbers: %s', async (name) => {
      const objective = new TensorQuadratic();
      const start = tf.zeros<tf.Rank.R3>(shape);
      const asynchronous = vi.spyOn(tf.Tensor.prototype, 'data');
      const synchronous = vi.spyOn(tf.Tensor.prototype, 'dataSync');
      const { x, evaluations } = await minimize(objective, start, {
        method: methods[name],
        bounds: [0, 1],
        maxIterations: 12,
      });
      expect(evaluations).toBe(objective.evaluations);
      expect(asynchronous).toHaveBeenCalledTimes(evaluations);
      expect(synchronous).not.toHaveBeenCalled();
      // Value, two terms, three magnitudes of the gradient; for L-BFGS s and z of every pair times y and q, and seven
      // products more.
      for (const tensor of asynchronous.mock.contexts)
        expect((tensor as tf.Tensor).size).toBeLessThanOrEqual(6 + 2 * 2 * 12 + 7);
      objective.dispose();
      tf.dispose([start, x]);
    });

    it('keeps no more tensors alive than its pairs need', async () => {
      const objective = new TensorQuadratic();
      const start = tf.zeros<tf.Rank.R3>(shape);
      const before = tf.memory().numTensors;
      const alive: number[] = [];
      const { x } = await minimize(objective, start, {
        method: lbfgs({ memory: 3, preconditioner: pyramidPreconditioner() }),
        bounds: [0, 1],
        maxIterations: 12,
        tolerance: 0,
        onStep: () => alive.push(tf.memory().numTensors - before),
      });
      // Two a pair; x, gradient, mask, the free gradient, and P times it.
      expect(Math.max(...alive)).toBeLessThanOrEqual(2 * 3 + 5);
      objective.dispose();
      tf.dispose([start, x]);
    });
  });

  it('rejects tensors that are not float32', async () => {
    const start = tf.zeros([2], 'int32');
    await expect(
      minimize(() => ({ value: tf.scalar(0), gradient: tf.zeros([2]) }), start),
    ).rejects.toMatchObject({ option: 'start' });
    start.dispose();
  });

  it.each([
    ['bounds[0][1][0][2]', (hole: tf.Tensor3D) => [hole, 1] as const],
    ['bounds[1][1][0][2]', (hole: tf.Tensor3D) => [0, hole] as const],
  ] as const)('rejects tensors with NaN as bounds and names the component: %s', async (option, boundsOf) => {
    const numbers = new Float32Array(size).fill(0.5);
    numbers[7 * 3 + 2] = Number.NaN;
    const [start, hole] = [tf.zeros<tf.Rank.R3>(shape), tf.tensor3d(numbers, shape)];
    const objective = new TensorQuadratic();
    const before = tf.memory().numTensors;
    await expect(minimize(objective, start, { bounds: boundsOf(hole) })).rejects.toMatchObject({ option });
    expect(tf.memory().numTensors).toBe(before);
    expect(objective.evaluations).toBe(0);
    objective.dispose();
    tf.dispose([start, hole]);
  });

  it('rejects tensors of bounds that cross, after one read-back', async () => {
    const upper = new Float32Array(size).fill(1);
    upper[size - 1] = -1;
    const [start, low, high] = [
      tf.zeros<tf.Rank.R3>(shape),
      tf.zeros<tf.Rank.R3>(shape),
      tf.tensor3d(upper, shape),
    ];
    const objective = new TensorQuadratic();
    const reads = vi.spyOn(tf.Tensor.prototype, 'data');
    await expect(minimize(objective, start, { bounds: [low, high] })).rejects.toMatchObject({
      option: 'bounds[0][4][6][2]',
      value: 0,
    });
    expect(reads).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
    objective.dispose();
    tf.dispose([start, low, high]);
  });

  it('makes tensors of steps only where x is read, and frees them', async () => {
    const objective = new TensorQuadratic();
    const start = tf.zeros<tf.Rank.R3>(shape);
    const looked: tf.Tensor3D[] = [];
    const alive: [before: number, after: number][] = [];
    const { x } = await minimize(objective, start, {
      maxIterations: 4,
      onStep: (step) => {
        const before = tf.memory().numTensors;
        if (step.iteration === 2) looked.push(step.x);
        alive.push([before, tf.memory().numTensors]);
      },
    });
    expect(alive.map(([before, after]) => after - before)).toEqual([0, 0, 1, 0, 0]);
    expect(looked.every((tensor) => tensor.isDisposed)).toBe(true);
    objective.dispose();
    tf.dispose([start, x]);
  });
});
