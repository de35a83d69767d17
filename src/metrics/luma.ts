/** Weights of red, green and blue in the grey of ITU-R BT.601, which Wang et al. 2004 and scikit-image's tests use. They add up to 1. */
export const lumaWeights: readonly [number, number, number] = [0.299, 0.587, 0.114];
