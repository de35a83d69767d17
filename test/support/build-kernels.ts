import { buildKernels } from '../../scripts/build-kernels.ts';

/** Vitest's global set-up: compiles the kernels if their sources are newer than what was built. */
export default buildKernels;
