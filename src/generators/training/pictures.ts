/** A picture in 8 bits: RGB, row-major. */
export interface BytePicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Pictures to cut crops from. */
export interface Pictures {
  readonly count: number;
  /** For checkpoints: differs where the pictures are known to differ. */
  readonly identity: string;
  /** A picture by its number. It is not to be changed. */
  at(index: number): Promise<BytePicture>;
}
