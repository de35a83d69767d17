import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bounds, VectorSpace } from '../../src/optim/vector-space';
import '../support/to-be-allclose';

/** How a suite gets into a vector space and out of it. */
export interface VectorSpaceUnderTest<V, S, X> {
  readonly space: VectorSpace<V, S, X>;
  vector(components: readonly number[]): V;
  scalar(value: number): S;
  components(vector: V): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** The contract of vector spaces. */
export function vectorSpaceContract<V, S, X>(
  name: string,
  open: (size: number) => VectorSpaceUnderTest<V, S, X>,
): void {
  describe(name, () => {
    it('combines vectors linearly', async () => {
      const { space, vector, components } = open(3);
      const [a, b, c] = [vector([1, 2, 3]), vector([0, -1, 4]), vector([5, 5, 5])];
      // 2 (1, 2, 3) - (0, -1, 4) + 0.5 (5, 5, 5)
      expect(await components(space.combine([2, -1, 0.5], [a, b, c]))).toBeAllclose([4.5, 7.5, 4.5]);
      expect(await components(a)).toBeAllclose([1, 2, 3]);
      space.close();
    });

    it('copies, multiplies, and divides by roots', async () => {
      const { space, vector, components } = open(3);
      const [a, b] = [vector([1, -2, 3]), vector([4, 9, 0])];
      const copy = space.copy(a);
      space.dispose(a, a);
      expect(await components(space.multiply(copy, b))).toBeAllclose([4, -18, 0]);
      // 1 / (2 + 0.5), -2 / (3 + 0.5), 3 / (0 + 0.5)
      expect(await components(space.divideByRoot(copy, b, 0.5))).toBeAllclose([0.4, -2 / 3.5, 6]);
      space.close();
    });

    it('projects to boxes of numbers, of vectors, and open to one side', async () => {
      const { space, vector, components } = open(4);
      const x = vector([-3, 0.5, 1, 7]);
      const projected = (lower: number | V | undefined, upper: number | V | undefined) =>
        components(space.project(x, { lower, upper }));
      expect(await projected(0, 1)).toBeAllclose([0, 0.5, 1, 1]);
      expect(await projected(0, undefined)).toBeAllclose([0, 0.5, 1, 7]);
      expect(await projected(undefined, 0.75)).toBeAllclose([-3, 0.5, 0.75, 0.75]);
      expect(await projected(vector([-4, 1, 1, 0]), vector([-3.5, 2, 2, 5]))).toBeAllclose([-3.5, 1, 1, 5]);
      expect(await projected(-1, vector([0, 0, 0, 6]))).toBeAllclose([-1, 0, 0, 6]);
      space.close();
    });

    it('holds the components that a bound keeps from descending, and no others', async () => {
      const { space, vector, components } = open(7);
      const x = vector([0, 0, 0, 0.5, 1, 1, 1]);
      const gradient = vector([1, -1, 0, 1, 1, -1, 0]);
      const free = (lower: number | V | undefined, upper: number | V | undefined) =>
        components(space.freeMask(x, gradient, { lower, upper }));
      expect(await free(0, 1)).toBeAllclose([0, 1, 1, 1, 1, 0, 1]);
      expect(await free(0, undefined)).toBeAllclose([0, 1, 1, 1, 1, 1, 1]);
      expect(await free(vector([-1, 0, 0, 0.5, 0, 0, 0]), vector([1, 1, 1, 1, 1, 1, 1]))).toBeAllclose([
        1, 1, 1, 0, 1, 0, 1,
      ]);
      space.close();
    });

    it('measures projected gradients, also what is small beside x', async () => {
      const xs = [0, 0.25, 0.5, 0.75, 1, 1];
      const gradients = [3, 3, 2 ** -60, -(2 ** -60), -3, 2 ** 60];
      // Magnitudes of the gradient, cut to [x - upper, x - lower].
      const both = [0, 0.25, 2 ** -60, 2 ** -60, 0, 1];
      const numbers = { lower: 0, upper: 1 };
      const cases: [number, number, (space: VectorSpaceUnderTest<V, S, X>) => Bounds<V>][] = [
        ...both.map((magnitude, i): [number, number, () => Bounds<V>] => [i, magnitude, () => numbers]),
        [4, 3, () => ({ lower: 0, upper: undefined })],
        [0, 3, () => ({ lower: undefined, upper: 1 })],
        [1, 0.25, ({ vector }) => ({ lower: vector([0, 0, 0, 0, 0]), upper: vector([1, 1, 1, 1, 1]) })],
        [1, 0.05, ({ vector }) => ({ lower: vector([0, 0, 0.2, 0, 0]), upper: 1 })],
      ];
      for (const [i, magnitude, boundsIn] of cases) {
        const opened = open(5);
        const { space, vector } = opened;
        const at = (value: number) => vector([0, 0, value, 0, 0]);
        const [x, gradient] = [at(xs[i]), at(gradients[i])];
        const [measured] = await space.measure([
          { kind: 'projectedGradient', x, gradient, scale: 1, bounds: boundsIn(opened) },
        ]);
        expect(measured).toBeAllclose([magnitude], { atol: 0 });
        space.close();
      }
    });

    it('measures projected gradients in another unit, of its own components only', async () => {
      const { space, vector } = open(5);
      // Outside of the box, as padding might be: x - lower of a component 0 would be -0.5.
      const [x, gradient] = [vector([0.5, 0.5, 0.5, 0.5, 0.75]), vector([0, 0, -1 / 8, 0, 1 / 16])];
      const [measured] = await space.measure([
        { kind: 'projectedGradient', x, gradient, scale: 2, bounds: { lower: 0.5, upper: 1 } },
      ]);
      expect(measured).toBeAllclose([0.25]);
      space.close();
    });

    it('holds a component a rounding error away from its bound no longer', async () => {
      const { space, vector, components } = open(2);
      const x = vector([2 ** -30, 1 - 2 ** -24]);
      expect(await components(space.freeMask(x, vector([1, -1]), { lower: 0, upper: 1 }))).toBeAllclose([
        1, 1,
      ]);
      space.close();
    });

    it('measures products, largest magnitudes and scalars in one go', async () => {
      const { space, vector, scalar } = open(3);
      const [a, b, c] = [vector([1, 2, 3]), vector([0, -1, 4]), vector([-5, 5, 1])];
      const measured = await space.measure([
        { kind: 'scalars', of: [scalar(7), scalar(-2)] },
        { kind: 'products', left: [a, b, c], right: [a, b] },
        { kind: 'largest', of: [c, a] },
        { kind: 'products', left: [], right: [a] },
      ]);
      // a.a = 14, a.b = 10, b.b = 17, c.a = -5 + 10 + 3, c.b = -5 + 4
      const expected = [[7, -2], [14, 10, 10, 17, 8, -1], [5, 3], []];
      expected.forEach((numbers, i) => {
        expect(measured[i]).toBeAllclose(numbers);
      });
      space.close();
    });

    it('counts its own components only, whatever bounds, masks and roots make of nothing', async () => {
      const { space, vector } = open(5);
      const zeros = vector([0, 0, 0, 0, 0]);
      const made = [
        space.project(zeros, { lower: 2, upper: 3 }),
        space.freeMask(zeros, zeros, { lower: -1, upper: 1 }),
        space.divideByRoot(space.freeMask(zeros, zeros, { lower: -1, upper: 1 }), zeros, 0.5),
      ];
      const measured = await space.measure([
        { kind: 'products', left: made, right: [made[0]] },
        { kind: 'largest', of: [made[0]] },
      ]);
      // 5 * 2 * 2, 5 * 1 * 2, 5 * (1 / 0.5) * 2
      expect(measured[0]).toBeAllclose([20, 10, 20]);
      expect(measured[1]).toBeAllclose([2]);
      space.close();
    });

    it('lets no component that is not a number pass unseen', async () => {
      const { space, vector } = open(3);
      const broken = vector([1, Number.NaN, 2]);
      const held = space.multiply(space.freeMask(vector([0, 0, 0]), broken, { lower: 0, upper: 1 }), broken);
      const [[a, b]] = await space.measure([
        { kind: 'products', left: [broken, held], right: [vector([0, 0, 0])] },
      ]);
      expect([a, b]).toEqual([Number.NaN, Number.NaN]);
      space.close();
    });

    it('adds up accurately at any size', async () => {
      const sizes = fc.oneof(
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(1009, 4096, 3 * 61 * 47, 104_729),
      );
      await fc.assert(
        fc.asyncProperty(sizes, fc.integer({ min: 1, max: 1000 }), async (size, seed) => {
          const { space, vector } = open(size);
          const numbers = (phase: number) =>
            Array.from({ length: size }, (_, i) => Math.fround(1 + 0.9 * Math.sin(seed * (i + phase))));
          const [a, b] = [numbers(0), numbers(0.7)];
          const [[product]] = await space.measure([
            { kind: 'products', left: [vector(a)], right: [vector(b)] },
          ]);
          expect(product).toBeAllclose(
            a.reduce((sum, component, i) => sum + component * b[i], 0),
            { rtol: 1e-6 },
          );
          space.close();
        }),
        { numRuns: 15 },
      );
    });

    it('refuses every operation after it was closed, which may be done twice', async () => {
      const { space, vector, scalar } = open(2);
      const [a, b] = [vector([1, 2]), vector([3, 4])];
      const number = scalar(1);
      space.adoptScalars([number]);
      space.close();
      space.close();
      space.dispose(a, b);
      space.disposeScalars([number]);
      const refused = expect.objectContaining({ code: 'DISPOSED' });
      const bounds = { lower: 0, upper: 1 };
      for (const use of [
        () => space.adopt(a),
        () => space.adoptScalars([number]),
        () => space.copy(a),
        () => space.combine([1, 1], [a, b]),
        () => space.multiply(a, b),
        () => space.divideByRoot(a, b, 1),
        () => space.project(a, bounds),
        () => space.freeMask(a, b, bounds),
        () => space.precondition({ apply: (v) => v }, a),
      ])
        expect(use).toThrow(refused);
      await expect(space.measure([{ kind: 'largest', of: [a] }])).rejects.toEqual(refused);
    });

    it('refuses values that are not scalars, and frees the others when it closes', () => {
      const { space, scalar } = open(2);
      expect(() => space.adoptScalars([scalar(1), 'x' as never, scalar(2)])).toThrow(
        expect.objectContaining({ code: 'WRONG_TYPE' }),
      );
      space.close();
    });

    it('applies preconditioners, also one that hands its argument back', async () => {
      const { space, vector, components } = open(2);
      const a = vector([1, 2]);
      const same = space.precondition({ apply: (v) => v }, a);
      space.dispose(a);
      expect(await components(same)).toBeAllclose([1, 2]);
      space.close();
    });
  });
}
