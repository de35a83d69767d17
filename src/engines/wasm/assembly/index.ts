// Every kernel is called for one item of its work: (address of its arguments, number of the item, address of scratch
// memory).
export { convolve } from '../network/assembly/convolution';
export { add, distance, maskedDistance, variation } from '../losses/assembly/elementwise';
export { firstBackward, firstForward, patchProducts } from '../network/assembly/first-layer';
export { firstGramForward, gramBackward, gramDistance, gramForward, gramTotal } from '../losses/assembly/gram';
export { invertPositive, sumInverses } from '../losses/assembly/inverse';
export { momentsBackward, momentsForward } from '../losses/assembly/moments';
export { histogramDistance } from '../losses/assembly/histogram';
export { poolBackward } from '../network/assembly/pooling';
export { enlarge, halve } from '../vectors/assembly/pyramid';
export {
  combine, divideByRoot, freeMask, innerProducts, largest, largestProjected, multiplyComponents, pack,
  packedProducts, project,
} from '../vectors/assembly/vectors';
export { transformFilters } from '../network/assembly/winograd';
export { generatorConvolution } from '../generator/assembly/convolution';
export { generatorOutput, generatorPool, generatorStore } from '../generator/assembly/maps';
export { generatorMoments } from '../generator/assembly/moments';
export { generatorFilters, generatorTotal } from '../generator/assembly/filter-gradient';
export {
  generatorFold, generatorOutputGradient, generatorTermGradient, generatorTermSums, generatorUnpool,
} from '../generator/assembly/gradients';
export { generatorNested } from '../generator/assembly/nested';
export { generatorWinograd } from '../generator/assembly/winograd';
