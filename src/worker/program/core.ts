import * as tf from '@tensorflow/tfjs-core';

// A script of its own, before those of a backend and of the program, which share it.
Object.assign(globalThis, { tfjsStyleTransferCore: tf });
