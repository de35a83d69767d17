import type { MetricName } from '../../src/metrics';

/** What Li et al. 2021 claim: their model's gain over the baselines (abstract and section 4). */
export interface Claim {
  /** The number of the table in the paper. */
  readonly table: number;
  readonly metric: MetricName;
  readonly title: string;
  /** The paper's abbreviation. */
  readonly short: string;
  /** In per cent. */
  readonly gain: number;
}

/** Tables 2 to 4. Mutual information is in [0,1] there, which only a normalised form can be. */
export const claims: readonly Claim[] = [
  { table: 2, metric: 'ssim', title: 'Structural similarity (SSIM)', short: 'SSIM', gain: 0.323 },
  { table: 3, metric: 'cosineSimilarity', title: 'Cosine similarity (CS)', short: 'CS', gain: 0.094 },
  {
    table: 4,
    metric: 'mutualInformationGeometric',
    title: 'Mutual information (MI), normalised',
    short: 'MI',
    gain: 3.591,
  },
];

/** Where the paper leaves a formula open, and what was chosen here. */
export const choices: readonly { readonly open: string; readonly chosen: string }[] = [
  {
    open: 'Which images the metrics compare: the stylised image with the style or with the content.',
    chosen: 'The style, as section 4 says; the same tables against the content follow.',
  },
  {
    open: 'Style images differ from the stylised ones in size.',
    chosen: 'The style is resampled to the size of the stylised image (Lanczos, aspect ratio not kept).',
  },
  {
    open: 'SSIM: window, constants, colour.',
    chosen: 'Wang et al. 2004: 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, on 8-bit grey.',
  },
  {
    open: 'Mutual information is said to lie in [0, 1], which its definition in bits does not.',
    chosen:
      'I / sqrt(H(A) H(B)) from the joint histogram of 256 grey levels; bits are in the table of all metrics.',
  },
  {
    open: 'The perceptual loss has no formula, layer or weight.',
    chosen: 'Johnson et al. 2016, eq. 2: mean squared difference of conv3_1 to the content image, weight 1.',
  },
  {
    open: 'L1 loss: eq. 5 is printed over pixels, the text speaks of the content loss.',
    chosen: 'mean(|F - P|) at conv2_2 in place of mean((F - P)^2), with the same weight.',
  },
  {
    open: 'The claimed gains are "increased by" some per cent: relative to what is not said.',
    chosen:
      '100 (full - mean) / |mean| over the mean of the baselines, in three readings: over the baseline that is improved upon, over the systems before any improvement, over all others.',
  },
  {
    open: 'Images, their number, size and iterations.',
    chosen:
      'The images, size and iterations at the top of this page; every system has the same number of iterations, from the content image.',
  },
];
