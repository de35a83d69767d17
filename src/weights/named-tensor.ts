/** Numbers with a shape, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Tensors by name. */
export type NamedTensors = ReadonlyMap<string, NamedTensor>;
