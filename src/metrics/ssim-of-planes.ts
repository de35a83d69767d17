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
 * SSIM of two planes in double precision. Each factor is written as one less a quotient of squares,
 * (2 mu_a mu_b + C1) / (mu_a^2 + mu_b^2 + C1) = 1 - (mu_a - mu_b)^2 / (mu_a^2 + mu_b^2 + C1) and
 * (2 cov + C2) / (var_a + var_b + C2) = 1 - var(a - b) / (var_a + var_b + C2),
 * so that equal planes give exactly 1 and no pair gives more.
 *
 * @param map receives 1 - SSIM of every window, row by row, added to what is there
 */
export function ssimOfPlanes(
  a: Plane,
  b: Plane,
  { weights, varianceFactor }: SsimWindow,
  dataRange: number,
  map?: Float64Array,
): PlaneSimilarity {
  const { width, height } = a;
  const { c1, c2 } = ssimConstants(dataRange);
  const size = weights.length;
  const [rows, columns] = [height - size + 1, width - size + 1];
  const planes = [a.values, b.values, a.values.map((value, i) => value - b.values[i])];
  const ofColumns = planes.map(() => momentsRow(width));
  const [windowsA, windowsB, windowsD] = planes.map(() => momentsRow(columns));
  let [dissimilarity, contrastLoss] = [0, 0];
  for (let y = 0; y < rows; y++) {
    planes.forEach((values, p) => {
      columnMoments(values, y * width, weights, ofColumns[p]);
    });
    [windowsA, windowsB, windowsD].forEach((windows, p) => {
      windowMoments(ofColumns[p], weights, windows);
    });
    for (let x = 0; x < columns; x++) {
      const [meanA, meanB, meanD] = [windowsA.means[x], windowsB.means[x], windowsD.means[x]];
      const luminance = (meanD * meanD) / (meanA * meanA + meanB * meanB + c1);
      const variances = varianceFactor * (windowsA.variances[x] + windowsB.variances[x]);
      const contrast = (varianceFactor * windowsD.variances[x]) / (variances + c2);
      // 1 - (1 - luminance) (1 - contrast)
      const lost = luminance + contrast - luminance * contrast;
      dissimilarity += lost;
      contrastLoss += contrast;
      if (map) map[y * columns + x] += lost;
    }
  }
  const count = rows * columns;
  return { similarity: 1 - dissimilarity / count, contrastStructure: 1 - contrastLoss / count };
}

/** Means and variances at each position of a row. */
interface MomentsRow {
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

const momentsRow = (length: number): MomentsRow => ({
  means: new Float64Array(length),
  variances: new Float64Array(length),
});

/**
 * Moments of the pixels of each column within the rows that a window covers; the first of these rows begins at index
 * `start`.
 */
function columnMoments(
  values: Float64Array,
  start: number,
  weights: readonly number[],
  { means, variances }: MomentsRow,
): void {
  const width = means.length;
  means.fill(0);
  variances.fill(0);
  weights.forEach((weight, i) => {
    const row = start + i * width;
    for (let x = 0; x < width; x++) means[x] += weight * values[row + x];
  });
  weights.forEach((weight, i) => {
    const row = start + i * width;
    for (let x = 0; x < width; x++) variances[x] += weight * (values[row + x] - means[x]) ** 2;
  });
}

/** Moments of windows from those of their columns, by the law of total variance. */
function windowMoments(
  columns: MomentsRow,
  weights: readonly number[],
  { means, variances }: MomentsRow,
): void {
  const length = means.length;
  means.fill(0);
  variances.fill(0);
  weights.forEach((weight, j) => {
    for (let x = 0; x < length; x++) means[x] += weight * columns.means[x + j];
  });
  weights.forEach((weight, j) => {
    for (let x = 0; x < length; x++)
      variances[x] += weight * (columns.variances[x + j] + (columns.means[x + j] - means[x]) ** 2);
  });
}
