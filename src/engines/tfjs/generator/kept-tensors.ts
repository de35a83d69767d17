import * as tf from '@tensorflow/tfjs-core';

/** Tensors of a computation that is interrupted by turns for other tasks, which no `tf.tidy` spans. */
export class KeptTensors {
  private readonly kept = new Set<tf.Tensor>();

  /** Runs `make`, frees what it does not return, and keeps what it does. */
  make<T extends tf.TensorContainer>(make: () => T): T {
    const made = tf.tidy(make);
    for (const tensor of tf.tensor_util.getTensorsInContainer(made)) this.kept.add(tf.keep(tensor));
    return made;
  }

  /** Frees tensors before the others. */
  free(...tensors: readonly (tf.Tensor | undefined)[]): void {
    for (const tensor of tensors) if (tensor && this.kept.delete(tensor)) tensor.dispose();
  }

  /** Leaves a tensor to the caller. */
  release<T extends tf.Tensor>(tensor: T): T {
    this.kept.delete(tensor);
    return tensor;
  }

  /** Frees all. */
  dispose(): void {
    this.free(...this.kept);
  }
}
