import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { createWasmExtractor } from '../src/kernels/wasm-extractor';
import { createObjective } from '../src/objective';
import { networkOptions } from './engines';
import { benchWeights, type Depth, scene, sceneLoss } from './scene';

const [size, depth, rounds] = [
  Number(process.argv[2]),
  process.argv[3] as Depth,
  Number(process.argv[4] ?? 7),
];
await tf.setBackend('wasm');
const weights = await benchWeights(depth);
const at = await scene(size);
const all = [];
for (const [threads, relaxedSimd] of [
  [1, false],
  [1, true],
  [2, false],
  [2, true],
] as const) {
  const ex = await createWasmExtractor({ ...networkOptions(weights, depth), threads, relaxedSimd });
  const o = createObjective(ex, sceneLoss(ex, at, depth), [size, size]);
  all.push({
    name: `${threads} ${relaxedSimd}`,
    times: [] as number[],
    run: () => {
      const t = performance.now();
      const e = o.evaluate(at.content);
      const v = e.value.dataSync()[0];
      tf.dispose([e.value, e.gradient, e.terms]);
      return [performance.now() - t, v];
    },
  });
}
for (const a of all) console.log(a.name, a.run()[1]);
for (let r = 0; r < rounds; r++) for (const a of all) a.times.push(a.run()[0]);
for (const a of all) {
  const s = a.times.toSorted((x, y) => x - y);
  console.log(a.name, 'median', s[s.length >> 1].toFixed(0), 'min', s[0].toFixed(0));
}
process.exit(0);
