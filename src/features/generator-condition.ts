import type { NamedTensor, NamedTensors } from '../weights/tensor-file';

/**
 * A vector beside the image that chooses what a generator paints: weights of styles (Dumoulin et al. 2017), or what a
 * predictor finds in a style image (Ghiasi et al. 2017). Some parameters of the network are affine functions of it; all
 * others stay as they are.
 */
export interface GeneratorCondition {
  /** Length of the vector. */
  readonly size: number;
  /** By the parameter's name: its values are `at0` plus the vector times `slopes`. */
  readonly parameters: ReadonlyMap<string, ConditionalParameter>;
}

/** A parameter of `n` values that depends on a condition. */
export interface ConditionalParameter {
  /** Values where the vector is 0: [n]. */
  readonly at0: NamedTensor;
  /** Changes of the values by each number of the vector: [size, n]. */
  readonly slopes: NamedTensor;
}

/** The values of all conditional parameters for a vector, by name: `at0` plus the vector times `slopes`. */
export function parametersAt(
  { size, parameters }: GeneratorCondition,
  vector: ArrayLike<number>,
): NamedTensors {
  return new Map(
    Array.from(parameters, ([name, { at0, slopes }]) => {
      const n = at0.values.length;
      const values = Float64Array.from(at0.values);
      for (let k = 0; k < size; k++)
        for (let i = 0; vector[k] !== 0 && i < n; i++) values[i] += vector[k] * slopes.values[k * n + i];
      return [name, { shape: at0.shape, values: Float32Array.from(values) }];
    }),
  );
}
