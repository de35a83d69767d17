import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LbfgsHistory } from '../../src/optim/lbfgs-history';
import '../support/to-be-allclose';

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, component, i) => sum + component * b[i], 0);
const plus = (a: readonly number[], factor: number, b: readonly number[]) =>
  a.map((component, i) => component + factor * b[i]);

interface Pair {
  readonly s: readonly number[];
  readonly y: readonly number[];
}

/** Nocedal & Wright, algorithm 7.4, written out with vectors, with H0 = gamma P. */
function twoLoops(
  pairs: readonly Pair[],
  gradient: readonly number[],
  precondition: (v: readonly number[]) => number[],
): readonly number[] {
  let q = gradient;
  const alphas: number[] = [];
  for (const { s, y } of [...pairs].reverse()) {
    const alpha = dot(s, q) / dot(s, y);
    alphas.unshift(alpha);
    q = plus(q, -alpha, y);
  }
  const newest = pairs.at(-1);
  const gamma = newest ? dot(newest.s, newest.y) / dot(newest.y, precondition(newest.y)) : 1;
  let r: readonly number[] = precondition(q).map((component) => gamma * component);
  pairs.forEach(({ s, y }, i) => {
    r = plus(r, alphas[i] - dot(y, r) / dot(s, y), s);
  });
  return r;
}

describe('LbfgsHistory', () => {
  const vector = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 6, maxLength: 6 });
  const diagonal = [1, 2, 0.5, 3, 1.5, 0.7];
  const precondition = (v: readonly number[]) => v.map((component, i) => diagonal[i] * component);

  it('gives the direction of the textbook recursion on the pairs that it still has', () => {
    const steps = fc.array(fc.record({ s: vector, curvatures: vector, q: vector }), {
      minLength: 1,
      maxLength: 7,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (given, memory) => {
        const history = new LbfgsHistory<readonly number[]>(memory);
        const pairs: Pair[] = [];
        for (const { s, curvatures, q } of given) {
          // A positive curvature along every axis makes s.y positive.
          const y = s.map((component, i) => component * (0.5 + Math.abs(curvatures[i])));
          if (dot(s, s) < 1e-3) continue;
          const z = precondition(y);
          history.makeRoom();
          const left = [...history.vectors, s, z];
          history.add(
            s,
            z,
            left.map((v) => dot(v, y)),
            left.map((v) => dot(v, q)),
          );
          pairs.push({ s, y });
          const { coefficients, qHq } = history.direction(dot(q, precondition(q)));
          const vectors = [...history.vectors, precondition(q)];
          const direction = vectors.reduce<readonly number[]>(
            (sum, v, k) => plus(sum, coefficients[k], v),
            s.map(() => 0),
          );
          const expected = twoLoops(pairs.slice(-memory), q, precondition);
          const scale = Math.sqrt(dot(expected, expected)) + Math.sqrt(dot(q, q)) + 1e-100;
          expect(direction).toBeAllclose(expected, { rtol: 0, atol: 1e-8 * scale });
          expect(qHq).toBeAllclose(dot(q, expected), { rtol: 0, atol: 1e-8 * scale * scale });
        }
      }),
    );
  });

  it('is P itself while it is empty', () => {
    expect(new LbfgsHistory(3).direction(5)).toEqual({ coefficients: [1], qHq: 5 });
  });

  it('hands back the pair that it forgets', () => {
    const history = new LbfgsHistory<string>(1);
    expect(history.makeRoom()).toEqual([]);
    history.add('s1', 'z1', [1, 1], [0, 0]);
    expect(history.makeRoom()).toEqual(['s1', 'z1']);
    history.add('s2', 'z2', [1, 1], [0, 0]);
    expect(history.vectors).toEqual(['s2', 'z2']);
    expect(history.clear()).toEqual(['s2', 'z2']);
    expect(history.isEmpty).toBe(true);
  });
});
