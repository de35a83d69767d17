import { add, constant, Inexpressible, type Known, multiply } from './known';

/**
 * A feature map, or a number for each of its channels, as a polynomial of the values `x` of one map: a sum of products
 * of symbols, each with a coefficient for all channels ([1]) or one for each ([channels]). Symbols are `x`; `mean` and
 * `square`, the means of x and x^2 over all positions of a channel; `deviation:e` and `inverse:e`, the square root of
 * variance + e, and 1 over it. Graphs spell an instance norm in many ways; as polynomials these are all the same:
 * scale x inverse - scale mean inverse + shift.
 */
export type Expression = ReadonlyMap<string, Known>;

/** The map itself. */
export const theMap: Expression = new Map([['x', constant([1])]]);

/** Numbers that depend on no map. */
export const ofKnown = (known: Known): Expression => new Map([['', known]]);

export const isTheMap = (expression: Expression): boolean =>
  expression.size === 1 && coefficient(expression, 'x') === 1;

/** Whether an expression has the same value at all positions. */
export const isPooled = (expression: Expression): boolean =>
  [...expression.keys()].every((product) => !symbolsOf(product).includes('x'));

export function sum(a: Expression, b: Expression, sign: 1 | -1 = 1): Expression {
  const result = new Map(a);
  for (const [product, factor] of b) {
    const total = add(result.get(product) ?? constant([0]), factor, sign);
    if (total.slopes || total.values.some((value) => value !== 0)) result.set(product, total);
    else result.delete(product);
  }
  return result;
}

export function product(a: Expression, b: Expression): Expression {
  let result: Expression = new Map();
  for (const [left, p] of a)
    for (const [right, q] of b) {
      const symbols = [...symbolsOf(left), ...symbolsOf(right)].sort().join(' ');
      result = sum(result, new Map([[symbols, multiply(p, q)]]));
    }
  return result;
}

/** The mean over all positions. */
export function meanOf(expression: Expression): Expression {
  let result: Expression = new Map();
  for (const [product, factor] of expression) {
    const symbols = symbolsOf(product);
    const others = symbols.filter((symbol) => symbol !== 'x');
    const powers = ['', 'mean', 'square'];
    const power = symbols.length - others.length;
    if (power >= powers.length) throw new Inexpressible('the mean of a third power');
    const name = [...others, ...(power > 0 ? [powers[power]] : [])].sort().join(' ');
    result = sum(result, new Map([[name, factor]]));
  }
  return result;
}

/** The square root of a variance and a number. */
export const squareRoot = (expression: Expression): Expression =>
  new Map([[`deviation:${epsilonOf(expression)}`, constant([1])]]);

/** 1 over a square root. */
export function reciprocal(expression: Expression): Expression {
  const [[product, factor]] = expression;
  const constantFactor = !factor.slopes && factor.values.every((value) => value === factor.values[0]);
  if (expression.size !== 1 || !product.startsWith('deviation:') || product.includes(' ') || !constantFactor)
    throw new Inexpressible('1 over what is no standard deviation');
  return new Map([[product.replace('deviation', 'inverse'), constant([1 / factor.values[0]])]]);
}

/** scale x + shift, if that is what an expression is. */
export function affineOf(expression: Expression): { scale: Known; shift: Known } | undefined {
  const others = [...expression.keys()].some((product) => product !== 'x' && product !== '');
  const scale = expression.get('x');
  if (others || !scale) return undefined;
  return { scale, shift: expression.get('') ?? constant([0]) };
}

/** An instance norm with its scale and shift, if that is what an expression is. */
export function instanceNormOf(
  expression: Expression,
): { scale: Known; shift: Known; epsilon: number } | undefined {
  const inverse = [...expression.keys()].flatMap(symbolsOf).find((symbol) => symbol.startsWith('inverse:'));
  if (!inverse) return undefined;
  const scale = expression.get(`${inverse} x`);
  const ofMean = expression.get(`${inverse} mean`);
  const size = [scale, ofMean, expression.get('')].filter((factor) => factor !== undefined).length;
  if (!scale || !ofMean || size !== expression.size || !isZero(add(scale, ofMean))) return undefined;
  return { scale, shift: expression.get('') ?? constant([0]), epsilon: Number(inverse.split(':')[1]) };
}

/** The instance norm of a map. */
export function instanceNorm(scale: Known, shift: Known, epsilon: number): Expression {
  const centred = sum(theMap, new Map([['mean', constant([1])]]), -1);
  const normalised = product(centred, new Map([[`inverse:${epsilon}`, scale]]));
  return sum(normalised, ofKnown(shift));
}

const symbolsOf = (product: string): string[] => product.split(' ').filter((symbol) => symbol !== '');

/** The factor of a product that is the same number for all channels. */
function coefficient(expression: Expression, product: string): number | undefined {
  const factor = expression.get(product);
  if (!factor) return 0;
  const [first] = factor.values;
  return !factor.slopes && factor.values.every((value) => value === first) ? first : undefined;
}

function epsilonOf(expression: Expression): number {
  const variance = coefficient(expression, 'square') === 1 && coefficient(expression, 'mean mean') === -1;
  const epsilon = coefficient(expression, '');
  const size = 2 + (expression.has('') ? 1 : 0);
  if (!variance || epsilon === undefined || epsilon < 0 || expression.size !== size)
    throw new Inexpressible('the square root of what is no variance');
  return epsilon;
}

function isZero({ values, slopes }: Known): boolean {
  const small = (value: number) => Math.abs(value) < 1e-6;
  return values.every(small) && (slopes?.every(small) ?? true);
}
