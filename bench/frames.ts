import { parseArgs } from 'node:util';
import { ChromiumPages } from '../test/support/chromium-pages';

/**
 * `npm run bench:frames`: frames that a page of the system's Chromium shows while a run of 256 pixels on the wasm
 * engine with one thread paints, with previews, in a worker and on the page's own thread, and while none paints, which
 * is what other programs of the machine do to it. The table has the medians of the rounds.
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    iterations: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
});

interface Gaps {
  readonly inWorker: readonly number[];
  readonly idle: readonly number[];
  readonly onPage: readonly number[];
}

const pages = await ChromiumPages.start('./bench/frames-program.ts');
const rounds: Gaps[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const page = await pages.open();
  const options = { size: Number(values.size), iterations: Number(values.iterations) };
  rounds.push((await page.evaluate(`program.measure(${JSON.stringify(options)})`)) as Gaps);
  await page.close();
}
await pages.close();

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const [worker, idle, onPage] = (['inWorker', 'idle', 'onPage'] as const).map((where) => ({
  framesPerSecond: 1000 / median(rounds.map((round) => median(round[where]))),
  longest: median(rounds.map((round) => Math.max(...round[where]))),
}));
console.log('| the page beside a run of | frames a second, median | longest gap, ms |\n|---|---|---|');
for (const [name, { framesPerSecond, longest }] of [
  ['the worker', worker],
  ['nothing, for as long', idle],
  ["the page's own thread", onPage],
] as const)
  console.log(`| ${name} | ${framesPerSecond.toFixed(0)} | ${longest.toFixed(0)} |`);
console.log(
  `The longest gap beside the worker is ${(worker.longest / onPage.longest).toFixed(3)} of the page's own.`,
);
