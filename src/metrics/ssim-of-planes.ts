import type { Plane } from './planes';
import { type SsimWindow, ssimConstants } from './ssim-window';

/** Means over all windows of two planes. */
export interface PlaneSimilarity {
  /** SSIM, Wang et al. 2004, eq. 13 and 17. */
  readonly similarity: number;
  /** The product of contrast and structure: SSIM without its luminance factor. */
  readonly contrastStructure: number;
}

/**
 * SSIM of two planes in double precision.
 *
 * @param map receives 1 - SSIM of every window, row by row, added to what is there
 */
export function ssimOfPlanes(
  a: Plane,
  b: Plane,
  window: SsimWindow,
  dataRange: number,
  map?: Float64Array,
): PlaneSimilarity {
  let [dissimilarity, contrastLoss] = [0, 0];
  const count = forEachRow(a, b, window, dataRange, (y, { luminance, contrast }) => {
    const columns = luminance.quotients.length;
    for (let x = 0; x < columns; x++) {
      const ofLuminance = luminance.quotients[x];
      const ofContrast = contrast.quotients[x];
      // 1 - (1 - luminance) (1 - contrast)
      const lost = ofLuminance + ofContrast - ofLuminance * ofContrast;
      dissimilarity += lost;
      contrastLoss += ofContrast;
      if (map) map[y * columns + x] += lost;
    }
  });
  return { similarity: 1 - dissimilarity / count, contrastStructure: 1 - contrastLoss / count };
}

/** The mean SSIM of two planes, and its gradients with respect to both. */
export interface SsimWithGradient {
  readonly similarity: number;
  readonly byA: Float32Array;
  readonly byB: Float32Array;
}

/**
 * SSIM of two planes and its gradients, computed in double precision.
 *
 * One minus the SSIM of a window is x + y - x y, with x and y the quotients of luminance and contrast, A and B their
 * denominators and f the window's variance factor. Its derivatives, with s = a + b and d = a - b, are
 * (1 - y) (2 - x) mu_d / A with respect to the mean of d, -(1 - y) x mu_s / A to that of s,
 * (1 - x) (2 - y) f / 2B to the variance of d and -(1 - x) y f / 2B to that of s.
 * A mean with derivative g contributes g times the pixel's weight to each pixel of its window, a variance
 * 2 g (pixel - mean) times the weight. The sums over all windows around a pixel are again weighted sums, because
 * windows are symmetric. For equal planes all terms are products with d = 0.
 */
export function ssimWithGradientOfPlanes(
  a: Plane,
  b: Plane,
  window: SsimWindow,
  dataRange: number,
): SsimWithGradient {
  const { width, height } = a;
  const { weights, varianceFactor } = window;
  // Windows beyond the border count as 0.
  const border = weights.length - 1;
  const ofWindows = Array.from({ length: 4 }, () => new Float64Array(width + border));
  const ofColumns = ofWindows.map(() => new Float64Array((height + border) * width));
  let dissimilarity = 0;
  const count = forEachRow(a, b, window, dataRange, (y, { luminance, contrast, sum, difference }) => {
    const [factorS, restS, factorD, restD] = ofWindows.map((row) => row.subarray(border));
    for (let x = 0; x < sum.means.length; x++) {
      const ofLuminance = luminance.quotients[x];
      const ofContrast = contrast.quotients[x];
      dissimilarity += ofLuminance + ofContrast - ofLuminance * ofContrast;
      const byMean = (1 - ofContrast) / luminance.denominators[x];
      const byVariance = (varianceFactor * (1 - ofLuminance)) / contrast.denominators[x];
      factorS[x] = -byVariance * ofContrast;
      factorD[x] = byVariance * (2 - ofContrast);
      restS[x] = (-byMean * ofLuminance - factorS[x]) * sum.means[x];
      restD[x] = (byMean * (2 - ofLuminance) - factorD[x]) * difference.means[x];
    }
    const start = (border + y) * width;
    ofWindows.forEach((row, i) => {
      addWeighted(row, 0, 1, weights, ofColumns[i].subarray(start, start + width));
    });
  });
  const [byA, byB] = [new Float32Array(width * height), new Float32Array(width * height)];
  const ofPixels = ofColumns.map(() => new Float64Array(width));
  const [factorS, restS, factorD, restD] = ofPixels;
  for (let y = 0; y < height; y++) {
    ofPixels.forEach((row, i) => {
      addWeighted(ofColumns[i], y * width, width, weights, row.fill(0));
    });
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const byS = factorS[x] * (a.values[i] + b.values[i]) + restS[x];
      const byD = factorD[x] * (a.values[i] - b.values[i]) + restD[x];
      byA[i] = (byS + byD) / -count;
      byB[i] = (byS - byD) / -count;
    }
  }
  return { similarity: 1 - dissimilarity / count, byA, byB };
}

/** Factors of SSIM in a row of windows, as 1 - quotient. */
interface FactorRow {
  readonly quotients: Float64Array;
  readonly denominators: Float64Array;
}

/** Factors and moments in a row of windows. */
interface SsimRow {
  readonly luminance: FactorRow;
  readonly contrast: FactorRow;
  /** Moments of a + b. */
  readonly sum: MomentRow;
  /** Moments of a - b. */
  readonly difference: MomentRow;
}

/**
 * Calls `visit` for each row of windows of two planes; the arrays are overwritten by the next row. Each factor of SSIM
 * is written as one less a quotient of squares,
 * (2 mu_a mu_b + C1) / (mu_a^2 + mu_b^2 + C1) = 1 - mu_d^2 / ((mu_s^2 + mu_d^2) / 2 + C1) and
 * (2 cov + C2) / (var_a + var_b + C2) = 1 - var_d / ((var_s + var_d) / 2 + C2), where s = a + b and d = a - b,
 * so that equal planes give exactly 1 and no pair gives more.
 *
 * @returns the number of windows
 */
function forEachRow(
  a: Plane,
  b: Plane,
  { weights, varianceFactor }: SsimWindow,
  dataRange: number,
  visit: (y: number, row: SsimRow) => void,
): number {
  const { width, height } = a;
  const { c1, c2 } = ssimConstants(dataRange);
  const [rows, columns] = [height - weights.length + 1, width - weights.length + 1];
  const [sums, differences] = [new Float64Array(width * height), new Float64Array(width * height)];
  for (let i = 0; i < sums.length; i++) {
    sums[i] = a.values[i] + b.values[i];
    differences[i] = a.values[i] - b.values[i];
  }
  const ofColumns = momentRow(width);
  const [sum, difference] = [momentRow(columns), momentRow(columns)];
  const [luminance, contrast] = [factorRow(columns), factorRow(columns)];
  for (let y = 0; y < rows; y++) {
    for (const [values, moments] of [
      [sums, sum],
      [differences, difference],
    ] as const) {
      takeMoments(values, y * width, width, weights, ofColumns);
      takeMoments(ofColumns.means, 0, 1, weights, moments);
      // The law of total variance: the mean of the variances beside the variance of the means.
      addWeighted(ofColumns.variances, 0, 1, weights, moments.variances);
    }
    for (let x = 0; x < columns; x++) {
      const meanD = difference.means[x];
      const varianceD = varianceFactor * difference.variances[x];
      const means = (sum.means[x] ** 2 + meanD ** 2) / 2 + c1;
      const variances = (varianceFactor * sum.variances[x] + varianceD) / 2 + c2;
      luminance.quotients[x] = meanD ** 2 / means;
      luminance.denominators[x] = means;
      contrast.quotients[x] = varianceD / variances;
      contrast.denominators[x] = variances;
    }
    visit(y, { luminance, contrast, sum, difference });
  }
  return rows * columns;
}

const factorRow = (length: number): FactorRow => ({
  quotients: new Float64Array(length),
  denominators: new Float64Array(length),
});

/** Means and variances at each position of a row. */
interface MomentRow {
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

const momentRow = (length: number): MomentRow => ({
  means: new Float64Array(length),
  variances: new Float64Array(length),
});

/**
 * Moments of the values at x, x + step, x + 2 step, ... after `start`, as many as there are weights, for each x of a
 * row.
 */
function takeMoments(
  values: Float64Array,
  start: number,
  step: number,
  weights: readonly number[],
  { means, variances }: MomentRow,
): void {
  addWeighted(values, start, step, weights, means.fill(0));
  const middle = (weights.length - 1) / 2;
  const centre = start + middle * step;
  for (let x = 0; x < means.length; x++)
    variances[x] = weights[middle] * (values[centre + x] - means[x]) ** 2;
  for (let k = 1; k <= middle; k++) {
    const [weight, before, after] = [weights[middle + k], centre - k * step, centre + k * step];
    for (let x = 0; x < means.length; x++) {
      const one = values[before + x] - means[x];
      const other = values[after + x] - means[x];
      variances[x] += weight * (one * one + other * other);
    }
  }
}

/** Adds to each x of a row the weighted sum of the values that {@link takeMoments} reads; weights are symmetric. */
function addWeighted(
  values: Float64Array,
  start: number,
  step: number,
  weights: readonly number[],
  sums: Float64Array,
): void {
  const middle = (weights.length - 1) / 2;
  const centre = start + middle * step;
  for (let x = 0; x < sums.length; x++) sums[x] += weights[middle] * values[centre + x];
  for (let k = 1; k <= middle; k++) {
    const [weight, before, after] = [weights[middle + k], centre - k * step, centre + k * step];
    for (let x = 0; x < sums.length; x++) sums[x] += weight * (values[before + x] + values[after + x]);
  }
}
