/** The memory of a method for earlier steps: pairs of vectors of x's size. */
export interface History {
  /** Pairs at most. */
  readonly pairs: number;
  /** Bits of a component. With 8 bits every block of 64 components has a scale of 32 bits in addition. */
  readonly bits: 8 | 32;
}

/** Bytes of a full history of vectors with `size` components. */
export const historyBytes = ({ pairs, bits }: History, size: number): number =>
  2 * pairs * size * (bits === 8 ? 1 + 4 / 64 : 4);
