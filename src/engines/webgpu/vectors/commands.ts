/// <reference types="@webgpu/types" />
import { costOf, type Gpu, type Grid, type Slice } from '../device/gpu';
import { parameterWords } from './vector-kernels';

/** Parameter blocks that are written by one submission. */
const blocksOfParameters = 128;

/** Kernels on vectors whose parameters change from call to call: these lie in one buffer, written before submission. */
export class VectorCommands {
  private readonly parameters: GPUBuffer;
  private readonly words = new Uint32Array(blocksOfParameters * parameterWords);
  private readonly floats = new Float32Array(this.words.buffer);
  private used = 0;
  private readonly end: () => void;

  constructor(private readonly gpu: Gpu) {
    this.parameters = gpu.buffer(this.words.byteLength, 'parameters');
    this.end = gpu.onSubmission(() => this.write());
  }

  /**
   * Records a kernel.
   *
   * @param slices its bindings; at `undefined` lies the binding of the parameters
   * @param words integers, and floats as `{ float }`
   */
  run(
    kernel: { readonly label: string; readonly code: string },
    slices: readonly (Slice | undefined)[],
    words: readonly (number | { readonly float: number })[],
    grid: Grid,
  ): void {
    const { gpu } = this;
    const cost = costOf({ bindings: slices.filter((slice) => slice !== undefined) });
    if (this.used === blocksOfParameters || gpu.pace.isFullWith(cost)) gpu.submit();
    const at = this.used++ * parameterWords;
    for (const [i, word] of words.entries()) {
      if (typeof word === 'number') this.words[at + i] = word;
      else this.floats[at + i] = word.float;
    }
    const parameters = { buffer: this.parameters, offset: 4 * at, size: 4 * parameterWords };
    const pipeline = gpu.pipeline(kernel.code, kernel.label);
    const group = gpu.group(
      pipeline,
      slices.map((slice) => slice ?? parameters),
    );
    const pass = gpu.computePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...grid);
    gpu.pace.add(cost);
  }

  /** Destroys the buffer. */
  dispose(): void {
    this.end();
    this.parameters.destroy();
  }

  private write(): void {
    if (this.used > 0)
      this.gpu.device.queue.writeBuffer(this.parameters, 0, this.words, 0, this.used * parameterWords);
    this.used = 0;
  }
}
