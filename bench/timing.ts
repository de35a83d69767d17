/** Seconds of the runs of a function after one that is not counted: median, and how far apart the others were. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** Times a function `runs` times after one warm-up. */
export async function time(run: () => unknown, runs: number): Promise<Timing> {
  await run();
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    seconds.push((performance.now() - start) / 1000);
  }
  seconds.sort((a, b) => a - b);
  return { median: seconds[Math.floor(runs / 2)], min: seconds[0], max: seconds[runs - 1], runs };
}

/** Three digits are all that a shared machine can give. */
export const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
