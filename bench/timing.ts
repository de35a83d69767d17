/** Seconds of the runs of one contender after one that is not counted: median, and how far apart the others were. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** Something that is timed. */
export interface Contender {
  readonly name: string;
  /** Works once. @returns the seconds that it took */
  run(): Promise<number>;
  /** Rounds that it takes part in, where it is slow. @default all */
  readonly most?: number;
}

/**
 * Times contenders in turn, round by round, so that what disturbs the machine disturbs all of them; after one round
 * that is not counted.
 */
export async function timeInTurn(contenders: readonly Contender[], rounds: number): Promise<Timing[]> {
  const seconds = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      if (round >= (contender.most ?? rounds)) continue;
      // Threads of the one before may still be looking for work.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const took = await contender.run();
      if (round >= 0) seconds[i].push(took);
    }
  }
  return seconds.map((times) => {
    const sorted = times.toSorted((a, b) => a - b);
    const runs = sorted.length;
    return { median: median(times), min: sorted[0], max: sorted[runs - 1], runs };
  });
}

/** The median. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Seconds that a function takes. */
export async function elapsed(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Timings on a shared machine are exact to three digits at most. */
export const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
