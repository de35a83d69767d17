/// <reference types="@webgpu/types" />
import { whileDeviceLasts } from '../../../backends/lost-device';
import { ComputationError, EnvironmentError } from '../../../errors';
import { showText } from '../../../options/show';
import { type Cost, Pace, type PaceOptions } from './pace';

export type { Cost } from './pace';

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

/** The cost of a command; where it is not known, each byte that it is bound to is read or written once. */
export const costOf = ({ cost, bindings }: Pick<Command, 'bindings' | 'cost'>): Cost =>
  cost ?? {
    flop: 0,
    bytes: bindings.reduce((sum, { buffer, offset = 0, size = buffer.size - offset }) => sum + size, 0),
  };

/** Numbers of workgroups along x, y and z. */
export type Grid = readonly [x: number, y: number, z: number];

/**
 * At least so many workgroups, along x and y because a dimension ends at 65 535: kernels count them by y times the
 * number along x, plus x.
 */
export function gridOf(groups: number, z = 1): Grid {
  const across = Math.min(groups, 32768);
  return [across, Math.ceil(groups / across), z];
}

/**
 * A device, with its pipelines by source and with commands that are recorded but not yet submitted. WebGPU has no
 * command buffers that can be submitted twice: commands are recorded anew for each evaluation, some microseconds each.
 */
export class Gpu {
  /** By source. The first of a source stays: groups are made for its layout, which another one does not have. */
  private readonly pipelines = new Map<string, GPUComputePipeline>();
  /** Sources that are being compiled. */
  private readonly compiling = new Map<string, Promise<void>>();
  private readonly groups = new WeakMap<Command, GPUBindGroup>();
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** Called before commands are submitted. */
  private readonly beforeSubmission = new Set<() => void>();
  private readonly reported: GPUError[] = [];
  /** Divides what is recorded into submissions that no watchdog ends. */
  readonly pace: Pace;

  /** @param pace how commands are divided into submissions; for tests */
  constructor(
    readonly device: GPUDevice,
    pace: PaceOptions = {},
  ) {
    this.pace = new Pace(device.queue, pace);
    device.addEventListener('uncapturederror', (event) => this.reported.push(event.error));
  }

  /** Errors that WebGPU has reported so far: it goes on as if nothing had been computed. */
  get reports(): number {
    return this.reported.length;
  }

  /**
   * Throws the first error that WebGPU has reported since there were `before` of them.
   *
   * @throws EnvironmentError `OUT_OF_MEMORY` if it is that, else ComputationError `GPU_FAILED`
   */
  requireNoReport(before: number): void {
    if (this.reported.length > before) throw errorOf(this.reported[before]);
  }

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

  /**
   * Compiles the pipelines of commands that are not compiled yet, all at once, and each once, whoever asks for it.
   *
   * @param onCompiled called with the number of those that are compiled, first 0, and of all; not at all if none is
   *   missing
   * @throws ComputationError `GPU_FAILED` if the device does not compile one, `DEVICE_LOST`
   */
  async compile(
    commands: Iterable<Pick<Command, 'code' | 'label'>>,
    onCompiled: (done: number, total: number) => void = () => {},
  ): Promise<void> {
    const missing = new Map<string, string>();
    for (const { code, label } of commands) if (!this.pipelines.has(code)) missing.set(code, label);
    if (missing.size === 0) return;
    let done = 0;
    onCompiled(done, missing.size);
    await Promise.all(
      Array.from(missing, async ([code, label]) => {
        await this.compiled(code, label);
        onCompiled(++done, missing.size);
      }),
    );
  }

  /**
   * Records commands, and submits what is recorded where more would take a device too long. Kernels that
   * {@link compile} has not seen are compiled here, which blocks.
   */
  record(commands: readonly Command[]): void {
    for (const command of commands) {
      if (this.pace.isFullWith(costOf(command))) this.submit();
      this.dispatch(this.computePass(), command);
    }
  }

  /** Records a command in a pass. */
  dispatch(pass: GPUComputePassEncoder, command: Command): void {
    const pipeline = this.pipeline(command.code, command.label);
    let group = this.groups.get(command);
    if (!group) {
      group = this.group(pipeline, command.bindings);
      this.groups.set(command, group);
    }
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...command.grid);
    this.pace.add(costOf(command));
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

  /** The pass that commands are recorded in; whoever uses it says what its commands cost by {@link Pace.add}. */
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
    if (!encoder) return;
    this.device.queue.submit([encoder.finish()]);
    this.pace.submitted();
  }

  /** Compiles a kernel without blocking, if it is not being compiled. */
  private compiled(code: string, label: string): Promise<void> {
    const compiling = this.compiling.get(code) ?? this.compileLater(code, label);
    this.compiling.set(code, compiling);
    return compiling;
  }

  private async compileLater(code: string, label: string): Promise<void> {
    const { device } = this;
    /** What is wrong with the source, which is then not reported beside the rejection. */
    let ofSource: Promise<GPUError | null> | undefined;
    try {
      const pipeline = await whileDeviceLasts(() => {
        device.pushErrorScope('validation');
        const made = device.createComputePipelineAsync(this.descriptor(code, label));
        ofSource = device.popErrorScope().catch(() => null);
        return made;
      });
      // Commands that could not wait may have compiled it.
      if (!this.pipelines.has(code)) this.pipelines.set(code, pipeline);
    } catch (cause) {
      if (cause instanceof ComputationError) throw cause;
      const { message } = (await ofSource) ?? (cause as Error);
      throw refused(`kernel ${label}: ${message}`, cause);
    } finally {
      this.compiling.delete(code);
    }
  }

  private descriptor(code: string, label: string): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ code, label });
    return { label, layout: 'auto', compute: { module, entryPoint: 'main' } };
  }
}

function errorOf(error: GPUError): EnvironmentError | ComputationError {
  if (typeof GPUOutOfMemoryError === 'function' && error instanceof GPUOutOfMemoryError) {
    const accepted = "a smaller size, the option memory, or engine 'wasm'";
    const message = `The memory of the GPU does not hold the run (${shown(error.message)}); accepted: ${accepted}.`;
    return new EnvironmentError('OUT_OF_MEMORY', message, { option: 'engine', value: 'webgpu', accepted });
  }
  return refused(error.message);
}

/** Of what WebGPU refuses, in its words. */
function refused(said: string, cause?: unknown): ComputationError {
  const accepted = "engine 'wasm', or 'tfjs'";
  const message = `WebGPU refuses what the engine webgpu asks of it, and nothing is computed: ${shown(said)}; accepted: ${accepted}.`;
  return new ComputationError('GPU_FAILED', message, { option: 'engine', value: 'webgpu', accepted, cause });
}

const shown = (said: string): string => showText(said, 300);

const storageUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

const known = new WeakMap<GPUDevice, Gpu>();

/** The {@link Gpu} of a device, one for all networks and runs, so that no kernel is compiled twice. */
export function gpuOf(device: GPUDevice): Gpu {
  const found = known.get(device) ?? new Gpu(device);
  known.set(device, found);
  return found;
}
