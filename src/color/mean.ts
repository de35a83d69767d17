import type { Work } from '../image/in-turns';
import { affine } from './affine';
import { inverse, type Matrix } from './matrix';
import { type Conversion, type Moments, momentsOf } from './moments';
import { fromLinear, lowestLight, toLinear } from './srgb';

/**
 * Moves colours so that mean and deviation of each channel become those of a reference, in l-alpha-beta, the
 * decorrelated space of logarithmic cone responses (Reinhard, Adhikhmin, Gooch, Shirley 2001, eq. 10 and 11).
 *
 * @param pixels RGB in [0,1], row-major, as `reference`
 * @returns RGB, row-major, not clipped
 */
export function* matchMean(pixels: Float32Array, reference: Float32Array): Work<Float32Array> {
  const { to, from } = conversions();
  const own: Moments = yield* momentsOf(pixels, to);
  const wanted: Moments = yield* momentsOf(reference, to);
  const gains = own.covariance.map((_, c) => {
    const deviation = Math.sqrt(own.covariance[c][c]);
    return deviation > smallestDeviation ? Math.sqrt(wanted.covariance[c][c]) / deviation : 1;
  });
  const matrix = gains.map((gain, i) => gains.map((_, j) => (i === j ? gain : 0)));
  return yield* affine(pixels, matrix, own.mean, wanted.mean, to, from);
}

/**
 * Rounding to 8 bits gives mid-grey about this deviation, in decades. A channel that varies less, as those of flat and
 * grey images, is shifted but not stretched: the result would be coloured noise.
 */
const smallestDeviation = 2e-3;

/** Linear light to cone responses (eq. 4 of the paper). */
const coneResponses: Matrix = [
  [0.3811, 0.5783, 0.0402],
  [0.1967, 0.7244, 0.0782],
  [0.0241, 0.1288, 0.8444],
];

/**
 * sRGB to l-alpha-beta (eq. 4 to 6) and back. Departures from the paper: sRGB is decoded first; the way back takes the
 * exact inverse matrix instead of one rounded to four digits; and the logarithm is that of the response plus the
 * lowest 8-bit level, because that of black is infinite.
 */
function conversions(): { readonly to: Conversion; readonly from: Conversion } {
  const [[l0, l1, l2], [m0, m1, m2], [s0, s1, s2]] = coneResponses;
  const [[r0, r1, r2], [g0, g1, g2], [b0, b1, b2]] = inverse(coneResponses);
  const [r3, r6, r2nd] = [Math.sqrt(1 / 3), Math.sqrt(1 / 6), Math.sqrt(1 / 2)];
  return {
    to(red, green, blue, into) {
      const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
      const l = Math.log10(l0 * r + l1 * g + l2 * b + lowestLight);
      const m = Math.log10(m0 * r + m1 * g + m2 * b + lowestLight);
      const s = Math.log10(s0 * r + s1 * g + s2 * b + lowestLight);
      into[0] = r3 * (l + m + s);
      into[1] = r6 * (l + m - 2 * s);
      into[2] = r2nd * (l - m);
    },
    from(lightness, alpha, beta, into) {
      const [a, b, c] = [r3 * lightness, r6 * alpha, r2nd * beta];
      const l = power(a + b + c) - lowestLight;
      const m = power(a + b - c) - lowestLight;
      const s = power(a - 2 * b) - lowestLight;
      into[0] = fromLinear(r0 * l + r1 * m + r2 * s);
      into[1] = fromLinear(g0 * l + g1 * m + g2 * s);
      into[2] = fromLinear(b0 * l + b1 * m + b2 * s);
    },
  };
}

/** Of a far outlier, the stretched logarithm is large enough for infinity; a million times white is clipped as well. */
const power = (x: number): number => 10 ** Math.min(x, 6);
