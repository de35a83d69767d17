// The kernels of optical flow: a module of their own, so that only films load it. Planes hold a float a pixel, row by
// row, in rows of `strideOf(width)`; what lies behind a row's last pixel is finite, and nobody's.
export { blur, doubled, everyOther, shifted } from './planes';
export { changes, derivatives, solve } from './least-squares';
export { medianOfNine } from './median';
export { keepWhereMoved, squares, takeBetter } from './matches';
