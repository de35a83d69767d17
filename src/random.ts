/** Seeded random numbers: the same sequence for the same seed. The generator is sfc32 (C. Doty-Humphrey, PractRand). */
export class Random {
  private readonly state: Uint32Array;

  /** @param stream sequences of one seed and different streams have nothing to do with each other */
  constructor(seed: number, stream = 0) {
    this.state = Uint32Array.of(seed, 0x9e3779b9 ^ stream, 0x243f6a88, 1);
    for (let i = 0; i < 16; i++) this.next();
  }

  /** A number in [from, to). */
  uniform(from = 0, to = 1): number {
    return from + (to - from) * (this.next() / 2 ** 32);
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform(0, below));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(from.length)];
  }

  /** Gaussian, by Box and Muller. */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** At least 1, with the density's tail falling as x^-(shape + 1). */
  pareto(shape: number): number {
    return (1 - this.uniform()) ** (-1 / shape);
  }

  /** `count` different whole numbers below `below`, in random order. */
  sample(count: number, below: number): number[] {
    const numbers = Array.from({ length: below }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const j = i + this.integer(below - i);
      [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
    }
    return numbers.slice(0, count);
  }

  private next(): number {
    const s = this.state;
    const result = (s[0] + s[1] + s[3]) >>> 0;
    s[3]++;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = s[2] + (s[2] << 3);
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + result;
    return result;
  }
}
