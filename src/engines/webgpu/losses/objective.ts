/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor, Features } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import type { Image } from '../../../image/image';
import type { Loss } from '../../../losses/loss';
import { type Evaluation, type Objective, valueAndCotangents } from '../../../objective';
import { Lifetime, owning } from '../../../owning';
import { addAll } from '../../../sums';
import type { Size } from '../../shared/fitting-size';
import { requireShape } from '../../shared/require-shape';
import { untileable } from '../../shared/tileable';
import type { Gpu, Slice } from '../device/gpu';
import { type Piece, placePieces, planShelves } from '../device/pieces';
import type { TfjsDevice } from '../device/tfjs-device';
import type { Convolutions } from '../network/convolutions';
import type { TuningOptions } from '../network/tuning';
import { planEvaluation, shapesOf, shapesOfBands, type TfjsLayers } from './evaluation-plan';
import { partsOf } from './parts';
import { partsLength } from './places';
import { TensorBuffers } from './tensor-buffers';
import { type TiledNetwork, tilingOf } from './tiling';
import { tunedConvolutions } from './tuned-plan';

/** What objectives are made with. */
export interface ObjectiveContext extends TiledNetwork {
  readonly gpu: Gpu;
  readonly tfjs: TfjsDevice;
  /** Computes features of images that are targets. */
  readonly extract: FeatureExtractor['extract'];
  /** How ways of convolutions are measured before a minimisation. @default they are not */
  readonly tuning?: Omit<TuningOptions, 'onMeasured'> | undefined;
}

/** Options of {@link kernelObjective}. */
export interface KernelObjectiveOptions {
  /** Bytes that maps, targets and masks may take. @default what the device can allocate */
  readonly room?: number | undefined;
  /** Called with the number of kernels that are compiled, and of all. */
  readonly onPreparing?: ((done: number, total: number) => void) | undefined;
  /** Whether to take the loss of the image's grey, see `ObjectiveOptions.grey`. @default false */
  readonly grey?: boolean | undefined;
  /** See {@link KernelObjective.reportsBefore}: lower where targets were computed before. @default those so far */
  readonly reportsBefore?: number | undefined;
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
  /** Errors that WebGPU had reported before: later ones are of its targets, its memory or its commands. */
  readonly reportsBefore: number;
  /** Measures ways of convolutions, if they are chosen by that, and compiles all kernels. */
  prepare(): Promise<void>;
  /** Records an evaluation of an image; its results are there when what is recorded has run. */
  record(image: Slice): void;
}

/**
 * An objective whose maps, terms and gradients stay in buffers of the device. Losses without terms are computed by
 * tfjs, on the same device and without copies of features. An image that does not fit as a whole is computed by bands.
 *
 * @throws InvalidArgumentError `WRONG_SHAPE` if a target does not have the shape of its layer at this size
 * @throws EnvironmentError, before any work, if there is no room: `OUT_OF_MEMORY`, or `NOT_TILEABLE` if bands would fit
 *   but cannot compute the loss
 */
export function kernelObjective(
  context: ObjectiveContext,
  loss: Loss,
  size: Size,
  options: KernelObjectiveOptions = {},
): KernelObjective {
  const { gpu, tfjs, stages } = context;
  const { room = Number.POSITIVE_INFINITY, onPreparing, grey = false } = options;
  const { reportsBefore = gpu.reports } = options;
  const parts = partsOf(loss, stages);
  const [height, width] = size;
  const shapeOf = shapesOf(stages, size);
  const pixels = 4 * 3 * height * width;
  const resultCount = parts.terms.length + parts.byTfjs.length;
  const request = { parts, layers: loss.layers, untileable: untileable(loss), room };
  const { bands } = tilingOf(context, size, request);
  return owning(({ result }): KernelObjective => {
    const tensors = result(new TensorBuffers(gpu, tfjs, stages, context.extract, size));
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
      parts: allocate('parts', 4 * partsLength(parts.terms, shapeOf, shapesOfBands(stages, size, bands))),
    };
    const placedBy = (convolutions: Convolutions) => {
      const plan = planEvaluation({ ...context, convolutions }, parts, size, bands, io, tensors, grey);
      const pauses = plan.flatMap((item) => ('pieces' in item ? [item] : []));
      // Maps of what targets were computed from would take room beside those of the plan.
      gpu.submit();
      tfjs.trim();
      return { ...placePieces(gpu, plan, planShelves(plan)), pauses };
    };
    let placed: ReturnType<typeof placedBy> | undefined = placedBy(context.convolutions);
    const release = () => {
      placed?.dispose();
      placed = undefined;
    };
    result(release);
    /** Takes the ways that are the fastest on the device. Meanwhile the plan's memory is free for measurements. */
    const tune = async (tuning: TuningOptions) => {
      gpu.submit();
      release();
      const shapes = shapesOfBands(stages, size, bands);
      const convolutions = await tunedConvolutions(context, { size, bands, shapes, request, tuning });
      lifetime.requireAlive();
      // An evaluation meanwhile has had the plan of before.
      gpu.submit();
      release();
      placed = placedBy(convolutions);
    };
    const commands = () => {
      placed ??= placedBy(context.convolutions);
      return placed;
    };
    const lifetime = new Lifetime('The objective');

    const terms = Object.fromEntries(parts.names.map((name) => [name, [] as Result[]]));
    for (const [index, { part }] of parts.terms.entries()) terms[part].push({ index, factor: 1 });
    for (const [k, { name, weight }] of parts.byTfjs.entries())
      terms[name].push({ index: parts.terms.length + k, factor: weight });

    /** Computes the losses without terms, from the features that the first commands leave. */
    const computeByTfjs = (layers: TfjsLayers, slice: (piece: Piece) => Slice) =>
      tf.tidy(() => {
        const featureOf = (layer: LayerName) => {
          const piece = layers.features.get(layer);
          const buffer = piece ? slice(piece).buffer : io.image.buffer;
          return tfjs.viewOf<tf.Rank.R4>(buffer, [1, ...shapeOf(layer)]);
        };
        const features = Object.fromEntries([...layers.cotangents.keys()].map((l) => [l, featureOf(l)]));
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
        for (const [layer, piece] of layers.cotangents) {
          const buffer = tfjs.bufferOf(cotangents.get(layer) as tf.Tensor);
          gpu.copy({ buffer }, slice(piece), piece.bytes);
        }
        // tfjs may use the buffers of these tensors again as soon as they are disposed.
        gpu.submit();
      });

    const objective: KernelObjective = {
      grey,
      size,
      resultCount,
      terms,
      gradient: io.gradient,
      results: io.results,
      reportsBefore,
      async prepare() {
        lifetime.requireAlive();
        if (context.tuning) await tune({ ...context.tuning, onMeasured: onPreparing });
        await gpu.compile(commands().phases.flat(), onPreparing);
      },
      record(image) {
        lifetime.requireAlive();
        gpu.copy(image, io.image, pixels);
        const { phases, pauses, slice } = commands();
        for (const [i, recorded] of phases.entries()) {
          if (i > 0) gpu.submit();
          const { tfjs: layers } = pauses[i - 1] ?? {};
          if (layers) computeByTfjs(layers, slice);
          gpu.record(recorded);
        }
      },
      evaluate(image: Image): Evaluation {
        lifetime.requireAlive();
        requireShape(image, 'The image', [height, width, 3], 'image');
        // Of the evaluations before and of the targets: WebGPU tells later.
        gpu.requireNoReport(reportsBefore);
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
        release();
        for (const buffer of made) buffer.destroy();
        tensors.dispose();
      },
    };
    return objective;
  });
}
