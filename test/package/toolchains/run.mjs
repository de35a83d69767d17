/** Prints the loss of the run of program.js, the engine, and whether it had several threads. */
import { useWasm } from 'tfjs-style-transfer/node';
import { run } from './program.js';

await useWasm();
const { loss, engine, threads } = await run();
console.log(loss, engine, threads > 1);
