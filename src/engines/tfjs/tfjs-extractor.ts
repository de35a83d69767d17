import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../../allocation';
import type { Features, Linearization } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { LoadedNetwork } from '../../features/network';
import { requireLayers } from '../../features/require-layers';
import type { Image } from '../../image/image';
import { leaves } from '../../losses/compose';
import { gramNormalizationOption, gramScale } from '../../losses/gram-matrix';
import type { Loss, LossTerm } from '../../losses/loss';
import { positionWeights } from '../../losses/pooled-mask';
import { requireName } from '../../options/validate';
import { Lifetime, owning } from '../../owning';
import type { EngineExtractor, GramMatrices } from '../engine';
import { checkRequest } from '../shared/check-request';
import type { Size } from '../shared/fitting-size';
import { requireOps } from '../shared/require-ops';
import { requireShape } from '../shared/require-shape';
import { untileable } from '../shared/tileable';
import { bandProducts } from './band-products';
import { mapShape } from './map-bytes';
import { gramBands, planRun, type TfjsRequest } from './tfjs-plan';
import {
  averagePoolGradient,
  type Convolution,
  createConvolution,
  maxPoolGradient,
  reluGradient,
} from './tfjs-steps';
import { tiledObjective } from './tiled-objective';

/** The backward pass of one step: from the gradient of its output to that of its input. */
interface Tape {
  readonly layer: LayerName;
  back(gradient: tf.Tensor4D): tf.Tensor4D;
}

/**
 * A network of 3x3 convolutions, ReLUs and 2x2 poolings by tfjs operations, on whatever backend is active.
 *
 * Forward and backward are written out step by step instead of left to autodiff, which would keep every temporary alive
 * until the end: here a feature map is kept only if it was requested or the backward pass needs it.
 */
export function createTfjsExtractor(loaded: LoadedNetwork): EngineExtractor {
  checkAllocations();
  const { network, weights, weightsName, embedded } = loaded;
  const { steps, input: normalization } = network;
  requireOps('tfjs', ['conv', 'relu', 'maxPool', 'averagePool'], steps);
  const { convolutions, scale, offset } = owning(({ result }) => {
    const convolutions = new Map<LayerName, Convolution>();
    for (const step of steps) {
      if (step.op === 'conv') convolutions.set(step.name, result(createConvolution(step, weights)));
    }
    const scale = tf.keep(result(tf.tensor4d([...normalization.scale], [1, 1, 1, 3])));
    const offset = tf.keep(result(tf.tensor4d([...normalization.offset], [1, 1, 1, 3])));
    return { convolutions, scale, offset };
  });
  const layers: readonly LayerName[] = ['image', ...steps.map((step) => step.name)];
  const lifetime = new Lifetime('The extractor');

  /**
   * Forward to the last of `wanted`. With a tape: records the backward steps, and leaves the tensors that they need in
   * `held`.
   */
  function forward(
    image: Image,
    wanted: readonly LayerName[],
    held: Set<tf.Tensor>,
    tape?: Tape[],
  ): Features {
    lifetime.requireAlive();
    const features: Partial<Record<LayerName, tf.Tensor4D>> = {};
    const last = checkRequest(image, wanted, layers, steps);
    if (wanted.includes('image')) {
      features.image = tf.expandDims(image, 0) as tf.Tensor4D;
      held.add(features.image);
    }
    if (last === 0) return features;
    let x: tf.Tensor4D = tf.tidy(() => tf.add(tf.mul(tf.expandDims(image, 0), scale), offset));
    try {
      for (let i = 0; i < last; i++) {
        const input = x;
        const step = steps[i];
        let layer: LayerName = step.name;
        if (step.op === 'conv') {
          const convolution = convolutions.get(layer) as Convolution;
          const next = steps[i + 1];
          const fused = next?.op === 'relu' && !wanted.includes(layer);
          const output = convolution.apply(input, fused);
          tape?.push({ layer, back: (dy) => convolution.inputGradient(dy, input.shape) });
          if (fused) {
            layer = next.name;
            i++;
            tape?.push({ layer, back: (dy) => reluGradient(dy, output) });
            if (tape) held.add(output);
          }
          x = output;
        } else if (step.op === 'relu') {
          // The convolution's output was requested and is kept, so the ReLU's mask is taken from it.
          tape?.push({ layer, back: (dy) => reluGradient(dy, input) });
          x = tf.relu(input);
        } else {
          const max = step.op === 'maxPool';
          const output = max ? tf.maxPool(input, 2, 2, 'valid') : tf.avgPool(input, 2, 2, 'valid');
          tape?.push({
            layer,
            back: (dy) => (max ? maxPoolGradient(dy, input, output) : averagePoolGradient(dy, input.shape)),
          });
          if (tape && max) held.add(input).add(output);
          x = output;
        }
        if (wanted.includes(layer)) {
          features[layer] = x;
          held.add(x);
        }
        if (!held.has(input)) input.dispose();
      }
      return features;
    } catch (error) {
      tf.dispose([x, ...held]);
      throw error;
    }
  }

  /** The gradient of sum <feature, cotangent> with respect to the image, from the deepest cotangent backwards. */
  function backward(image: Image, tape: readonly Tape[], cotangents: Features): Image {
    let gradient: tf.Tensor4D | undefined;
    try {
      for (const { layer, back } of tape.toReversed()) {
        const cotangent = cotangents[layer];
        const before = gradient;
        if (!cotangent && !before) continue;
        gradient = tf.tidy(() =>
          back(before && cotangent ? tf.add(before, cotangent) : (before ?? (cotangent as tf.Tensor4D))),
        );
        if (before !== gradient) before?.dispose();
      }
      return tf.tidy(() => {
        const network = gradient ? tf.mul(gradient, scale) : tf.zeros([1, ...image.shape]);
        const total = cotangents.image ? tf.add(network, cotangents.image) : network;
        return tf.reshape(total, image.shape) as Image;
      });
    } finally {
      gradient?.dispose();
    }
  }

  /** The memory of a loss: its layers, and the targets that it has or would have. */
  function requestOf(loss: Loss, size: Size, room: number | undefined): TfjsRequest {
    const terms = leaves(loss).flatMap((leaf) => leaf.loss.terms ?? []);
    const layersOf = (kind: LossTerm['kind']) =>
      terms.filter((term) => term.kind === kind && term.layer !== 'image').map(({ layer }) => layer);
    return {
      layers: loss.layers,
      size,
      featureTargets: layersOf('feature'),
      gramLayers: layersOf('gram'),
      masked: terms.flatMap(({ mask, layer }) => (mask ? [layer] : [])),
      untileable: untileable(loss),
      room,
    };
  }

  const extractor: EngineExtractor = {
    name: network.name,
    engine: 'tfjs',
    threads: backendThreads(),
    weights: weightsName,
    embedded,
    layers,
    extract: (image, wanted) => forward(image, wanted, new Set()),
    linearize(image, wanted): Linearization {
      const tape: Tape[] = [];
      const held = new Set<tf.Tensor>();
      const features = forward(image, wanted, held, tape);
      const linearized = new Lifetime('The linearization');
      return {
        features,
        pullback(cotangents) {
          linearized.requireAlive();
          lifetime.requireAlive();
          for (const layer of Object.keys(cotangents) as LayerName[]) {
            const cotangent = cotangents[layer];
            if (!cotangent) continue;
            requireName('cotangents', layer, [...wanted, 'image']);
            const shape = layer === 'image' ? [1, ...image.shape] : features[layer]?.shape;
            requireShape(cotangent, `The cotangent of ${layer}`, shape ?? [], layer);
          }
          return backward(image, tape, cotangents);
        },
        dispose() {
          if (linearized.end()) tf.dispose([...held]);
        },
      };
    },
    plan({ tileable = true, style, masks, ...request }) {
      lifetime.requireAlive();
      requireLayers('layers', 'The run', [...request.layers, ...(style?.layers ?? [])], extractor);
      const { layers: grams = [], size: styleSize } = style ?? {};
      // Each region has Gram matrices of its own.
      const gramLayers = Array.from({ length: Math.max(1, masks?.styles ?? 0) }, () => grams).flat();
      const masked = [
        ...(masks?.styles ? gramLayers : []),
        ...(masks?.content ? (request.featureTargets ?? []) : []),
      ];
      const found = planRun(steps, { ...request, gramLayers, masked, untileable: !tileable });
      if (styleSize) gramBands(steps, grams, styleSize, request);
      const { bytes, maps, targets, tiles, work } = found;
      return { bytes, maps, targets, tiles, work };
    },
    gramMatrices(image, wanted, { normalization = 'elements', room, mask } = {}) {
      lifetime.requireAlive();
      checkRequest(image, wanted, layers, steps);
      gramNormalizationOption.require('normalization', normalization);
      const [height, width] = image.shape;
      const size: Size = [height, width];
      const bands = gramBands(steps, wanted, size, { room });
      const grams = tf.tidy(() => {
        const shapes = wanted.map((layer) => mapShape(steps, size, layer));
        const masks = shapes.map(
          ([, h, w]) => mask && positionWeights({ weights: mask, mean: 'weights' }, h, w),
        );
        const products = wanted.map((layer, i) => ({ layer, weights: masks[i]?.weights }));
        // Of a copy with another `extract`, that one is used.
        const found = bandProducts(this, image, products, bands).map((sum, i) => {
          const gram: tf.Tensor2D = tf.mul(sum, gramScale(shapes[i], normalization));
          return [wanted[i], masks[i] ? tf.mul(gram, masks[i].ratio) : gram] as const;
        });
        return Object.fromEntries(found) as tf.NamedTensorMap;
      });
      return grams as GramMatrices;
    },
    objective(loss, size, { room } = {}) {
      lifetime.requireAlive();
      const { bands, targets } = planRun(steps, requestOf(loss, size, room));
      // As a whole, a loss is evaluated by createObjective from the features.
      return bands && tiledObjective(loss, size, { steps, extractor: this, bands, keepTargets: targets > 0 });
    },
    dispose() {
      if (!lifetime.end()) return;
      scale.dispose();
      offset.dispose();
      for (const convolution of convolutions.values()) convolution.dispose();
    },
  };
  return extractor;
}

/** Threads of the active backend; undefined if unknown. */
function backendThreads(): number | undefined {
  if (tf.getBackend() === 'cpu') return 1;
  const backend = tf.backend() as { wasm?: { tfjs?: { getThreadsCount?(): number } } };
  return backend.wasm?.tfjs?.getThreadsCount?.();
}
