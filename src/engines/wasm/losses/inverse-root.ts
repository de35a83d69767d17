/**
 * Shifts s and weights w of x^-1/2 = sum w / (x + s), within 1.9e-3 of it on [1e-10, 1], largest first: Zolotarev's
 * best approximation of ten terms, by the elliptic functions of Hale, Higham & Trefethen 2008, "Computing A^alpha,
 * log(A), and related matrix functions by contour integrals", method 3, with errors of both signs alike.
 */
export const inverseRootTerms = [
  [2.09666072, 2.09244513],
  [8.70472915e-2, 0.252606793],
  [6.34460241e-3, 6.56173585e-2],
  [4.79426478e-4, 1.79849116e-2],
  [3.63256396e-5, 4.94946541e-3],
  [2.75287629e-6, 1.36252665e-3],
  [2.08582538e-7, 3.75133867e-4],
  [1.57614276e-8, 1.03422329e-4],
  [1.14880073e-9, 2.90194879e-5],
  [4.76948848e-11, 9.97989336e-6],
] as const;
