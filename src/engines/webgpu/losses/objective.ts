/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import type { Image } from '../../../image/image';
import type { Loss } from '../../../losses/loss';
import { type Evaluation, type Objective, valueAndCotangents } from '../../../objective';
import { Lifetime, owning } from '../../../owning';
import { addAll } from '../../../sums';
import type { Size } from '../../shared/fitting-size';
import { requireShape } from '../../shared/require-shape';
import type { Gpu, Slice } from '../device/gpu';
import { placePieces, planShelves } from '../device/pieces';
import type { TfjsDevice } from '../device/tfjs-device';
import { type PlannedNetwork, planEvaluation, shapesOf } from './evaluation-plan';
import { partsOf } from './parts';
import { TensorBuffers } from './tensor-buffers';
import { partsLength } from './term-commands';

/** What objectives are made with. */
export interface ObjectiveContext extends PlannedNetwork {
  readonly gpu: Gpu;
  readonly tfjs: TfjsDevice;
}

/** Options of {@link kernelObjective}. */
export interface KernelObjectiveOptions {
  /** Bytes that maps and sums may take. @default what the device can allocate */
  readonly room?: number | undefined;
  /** Called with the number of kernels that are compiled, and of all. */
  readonly onPreparing?: ((done: number, total: number) => void) | undefined;
}

/** A part of a loss as a number that is on the device: `factor` times a result of the evaluation. */
export interface Result {
  readonly index: number;
  readonly factor: number;
}

/** An objective whose commands can be recorded beside those of an optimiser's vectors. */
export interface KernelObjective extends Objective {
  readonly size: Size;
  /** Numbers in {@link KernelObjective.results}. */
  readonly resultCount: number;
  /** Results by leaf of the loss. */
  readonly terms: Readonly<Record<string, readonly Result[]>>;
  readonly gradient: Slice;
  readonly results: Slice;
  /** Errors that WebGPU had reported when this was made: later ones are of its memory or its commands. */
  readonly reportsBefore: number;
  /** Compiles all kernels. */
  compile(): Promise<void>;
  /** Records an evaluation of an image; its results are there when what is recorded has run. */
  record(image: Slice): void;
}

/**
 * An objective whose maps, terms and gradients stay in buffers of the device. Losses without terms are computed by
 * tfjs, on the same device and without copies of features.
 *
 * @returns undefined if the kernels do not compute the loss, or not in the room that there is: then it is a matter of
 *   tfjs
 */
export function kernelObjective(
  context: ObjectiveContext,
  loss: Loss,
  size: Size,
  { room = Number.POSITIVE_INFINITY, onPreparing }: KernelObjectiveOptions = {},
): KernelObjective | undefined {
  const { gpu, tfjs, stages } = context;
  const reportsBefore = gpu.reports;
  const parts = partsOf(loss, stages);
  const [height, width] = size;
  const shapeOf = shapesOf(stages, size);
  const pixels = 4 * 3 * height * width;
  const resultCount = parts.terms.length + parts.byTfjs.length;
  return owning(({ result }): KernelObjective | undefined => {
    const tensors = result(new TensorBuffers(gpu, tfjs, shapeOf));
    const made: GPUBuffer[] = [];
    result(() => {
      for (const buffer of made) buffer.destroy();
    });
    const allocate = (label: string, bytes: number): Slice => {
      const buffer = gpu.buffer(bytes, label);
      made.push(buffer);
      return { buffer };
    };
    const io = {
      image: allocate('image', pixels),
      gradient: allocate('gradient', pixels),
      results: allocate('results', 4 * resultCount),
      factors: allocate('factors', 4 * resultCount),
      parts: allocate('parts', 4 * partsLength(parts.terms, shapeOf)),
    };
    const plan = planEvaluation(context, parts, size, io, tensors);
    const shelves = planShelves(plan.items);
    const { maxStorageBufferBindingSize } = gpu.device.limits;
    const bytes = shelves.sizes.reduce((a, b) => a + b, 0);
    if (bytes > room || shelves.sizes.some((one) => one > maxStorageBufferBindingSize)) {
      for (const buffer of made) buffer.destroy();
      tensors.dispose();
      return undefined;
    }
    const placed = placePieces(gpu, plan.items, shelves);
    result(() => placed.dispose());
    const lifetime = new Lifetime('The objective');

    const terms = Object.fromEntries(parts.names.map((name) => [name, [] as Result[]]));
    for (const [index, { part }] of parts.terms.entries()) terms[part].push({ index, factor: 1 });
    for (const [k, { name, weight }] of parts.byTfjs.entries())
      terms[name].push({ index: parts.terms.length + k, factor: weight });

    /** Computes the losses without terms, from the features that the first commands leave. */
    const computeByTfjs = () =>
      tf.tidy(() => {
        const featureOf = (layer: LayerName) => {
          const piece = plan.tfjs.features.get(layer);
          const buffer = piece ? placed.slice(piece).buffer : io.image.buffer;
          return tfjs.viewOf<tf.Rank.R4>(buffer, [1, ...shapeOf(layer)]);
        };
        const features = Object.fromEntries([...plan.tfjs.cotangents.keys()].map((l) => [l, featureOf(l)]));
        const cotangents = new Map<LayerName, tf.Tensor>();
        for (const [k, { weight, loss: leaf }] of parts.byTfjs.entries()) {
          const { value, gradients } = valueAndCotangents(leaf, features as Features);
          const at = 4 * (parts.terms.length + k);
          gpu.copy({ buffer: tfjs.bufferOf(value) }, { ...io.results, offset: at }, 4);
          for (const layer of leaf.layers) {
            requireShape(gradients[layer], `The cotangent of ${layer}`, [1, ...shapeOf(layer)], layer);
            const weighted = tf.mul(gradients[layer] as tf.Tensor, weight);
            const sum = cotangents.get(layer);
            cotangents.set(layer, sum ? tf.add(sum, weighted) : weighted);
          }
        }
        for (const [layer, piece] of plan.tfjs.cotangents) {
          const buffer = tfjs.bufferOf(cotangents.get(layer) as tf.Tensor);
          gpu.copy({ buffer }, placed.slice(piece), piece.bytes);
        }
        // tfjs may use the buffers of these tensors again as soon as they are disposed.
        gpu.submit();
      });

    const objective: KernelObjective = {
      size,
      resultCount,
      terms,
      gradient: io.gradient,
      results: io.results,
      reportsBefore,
      compile: () => gpu.compile(placed.phases.flat(), onPreparing),
      record(image) {
        lifetime.requireAlive();
        gpu.copy(image, io.image, pixels);
        const [before, behind = []] = placed.phases;
        gpu.record(before);
        if (parts.byTfjs.length > 0) {
          gpu.submit();
          computeByTfjs();
        }
        gpu.record(behind);
      },
      evaluate(image: Image): Evaluation {
        lifetime.requireAlive();
        requireShape(image, 'The image', [height, width, 3], 'image');
        objective.record({ buffer: tfjs.bufferOf(image) });
        gpu.submit();
        return tf.tidy(() => {
          const results = tfjs.tensorOf<tf.Rank.R1>(io.results.buffer, [io.results.buffer.size / 4]);
          const named = Object.entries(terms).map(([name, own]): [string, tf.Scalar] => {
            const values = own.map(({ index, factor }) =>
              tf.mul<tf.Scalar>(tf.reshape(tf.slice1d(results, index, 1), []), factor),
            );
            return [name, addAll(values)];
          });
          const gradient = tfjs.tensorOf<tf.Rank.R3>(io.gradient.buffer, [height, width, 3]);
          return {
            value: addAll<tf.Scalar>(named.map(([, term]) => term)),
            gradient,
            terms: Object.fromEntries(named),
          };
        });
      },
      dispose() {
        if (!lifetime.end()) return;
        // An evaluation that failed may have left commands that read the buffers.
        gpu.submit();
        placed.dispose();
        for (const buffer of made) buffer.destroy();
        tensors.dispose();
      },
    };
    return objective;
  });
}
