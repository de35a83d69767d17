// Every kernel is called for one item of its work: (address of its arguments, number of the item, address of scratch memory).
export { convolve } from './convolution';
export { add, distance, variation } from './elementwise';
export { firstBackward, firstForward, patchProducts } from './first-layer';
export { gramBackward, gramDistance, gramForward } from './gram';
export { poolBackward } from './pooling';
export { enlarge, halve } from './pyramid';
export { combine, divideByRoot, freeMask, largest, multiply, products, project } from './vectors';
export { transformFilters } from './winograd';
