/// <reference types="@webgpu/types" />

/** A part of a buffer, in bytes. Offsets are multiples of 256. */
export interface Slice {
  readonly buffer: GPUBuffer;
  /** @default 0 */
  readonly offset?: number | undefined;
  /** @default all that is behind the offset */
  readonly size?: number | undefined;
}

/** A kernel with what it is bound to. */
export interface Command {
  readonly label: string;
  /** WGSL, with the entry point `main` and the bindings in group 0. */
  readonly code: string;
  readonly bindings: readonly Slice[];
  /** Workgroups. */
  readonly grid: Grid;
  readonly cost?: Cost | undefined;
}

/** What a command does. */
export interface Cost {
  /** Floating-point operations, those of padding included. */
  readonly flop: number;
  /** Bytes that it reads and writes, each once. */
  readonly bytes: number;
}

/** Numbers of workgroups along x, y and z. */
export type Grid = readonly [x: number, y: number, z: number];

/**
 * A device, with its pipelines by source and with commands that are recorded but not yet submitted. WebGPU has no
 * command buffers that can be submitted twice: commands are recorded anew for each evaluation, some microseconds each.
 */
export class Gpu {
  private readonly pipelines = new Map<string, GPUComputePipeline>();
  private readonly groups = new WeakMap<Command, GPUBindGroup>();
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** Called before commands are submitted. */
  private readonly beforeSubmission = new Set<() => void>();

  constructor(readonly device: GPUDevice) {}

  /**
   * A new buffer of zeros, for kernels and copies; the caller destroys it. It is no larger than needed, because tfjs
   * takes the size of a tensor's buffer for that of its values.
   */
  buffer(bytes: number, label: string, usage = storageUsage()): GPUBuffer {
    return this.device.createBuffer({ label, size: Math.max(4, bytes), usage });
  }

  /** A new buffer with these values. */
  put(values: Float32Array | Uint32Array, label: string, usage?: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.buffer(values.byteLength, label, usage);
    this.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
    return buffer;
  }

  /** Compiles the pipelines of commands that are not compiled yet, all at once. */
  async compile(commands: Iterable<Pick<Command, 'code' | 'label'>>): Promise<void> {
    const missing = new Map<string, string>();
    for (const { code, label } of commands) if (!this.pipelines.has(code)) missing.set(code, label);
    await Promise.all(
      Array.from(missing, async ([code, label]) => {
        const pipeline = await this.device.createComputePipelineAsync(this.descriptor(code, label));
        this.pipelines.set(code, pipeline);
      }),
    );
  }

  /** Records commands; kernels that {@link compile} has not seen are compiled here, which blocks. */
  record(commands: readonly Command[]): void {
    for (const command of commands) {
      const { code, label, grid } = command;
      const pipeline = this.pipeline(code, label);
      let group = this.groups.get(command);
      if (!group) {
        group = this.group(pipeline, command.bindings);
        this.groups.set(command, group);
      }
      const pass = this.computePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    }
  }

  /** The pipeline of a kernel, compiled now if it is not compiled yet. */
  pipeline(code: string, label: string): GPUComputePipeline {
    const known = this.pipelines.get(code);
    if (known) return known;
    const made = this.device.createComputePipeline(this.descriptor(code, label));
    this.pipelines.set(code, made);
    return made;
  }

  /** Binds slices to a pipeline in their order. */
  group(pipeline: GPUComputePipeline, slices: readonly Slice[]): GPUBindGroup {
    return this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: slices.map(({ buffer, offset = 0, size = buffer.size - offset }, binding) => ({
        binding,
        resource: { buffer, offset, size },
      })),
    });
  }

  /** The pass that commands are recorded in. */
  computePass(): GPUComputePassEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    this.pass ??= this.encoder.beginComputePass();
    return this.pass;
  }

  /** Records a copy. */
  copy(from: Slice, to: Slice, bytes: number): void {
    this.pass?.end();
    this.pass = undefined;
    this.encoder ??= this.device.createCommandEncoder();
    this.encoder.copyBufferToBuffer(from.buffer, from.offset ?? 0, to.buffer, to.offset ?? 0, bytes);
  }

  /** Calls `listener` before each submission. @returns a function that ends that */
  onSubmission(listener: () => void): () => void {
    this.beforeSubmission.add(listener);
    return () => this.beforeSubmission.delete(listener);
  }

  /** Submits what is recorded. */
  submit(): void {
    for (const listener of this.beforeSubmission) listener();
    this.pass?.end();
    this.pass = undefined;
    const { encoder } = this;
    this.encoder = undefined;
    if (encoder) this.device.queue.submit([encoder.finish()]);
  }

  private descriptor(code: string, label: string): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ code, label });
    return { label, layout: 'auto', compute: { module, entryPoint: 'main' } };
  }
}

const storageUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

const known = new WeakMap<GPUDevice, Gpu>();

/** The {@link Gpu} of a device, one for all networks and runs, so that no kernel is compiled twice. */
export function gpuOf(device: GPUDevice): Gpu {
  const found = known.get(device) ?? new Gpu(device);
  known.set(device, found);
  return found;
}
