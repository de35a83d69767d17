import { resolve } from 'node:path';

/** Flags of Node with which worker threads run the sources of this repository. */
export const sourceWorkers = ['--import', resolve('scripts/binary-hooks.mjs'), '--import', 'tsx'];
