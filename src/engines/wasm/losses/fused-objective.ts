import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import type { Loss, LossTerm, StatisticTerm } from '../../../losses/loss';
import { lossOfTerms } from '../../../losses/loss-of-terms';
import { namedLeaves, type Objective, type ObjectiveOptions, valueAndCotangents } from '../../../objective';
import { Lifetime, owning } from '../../../owning';
import { type Band, bandsOf } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { notTileable, untileable } from '../../shared/tileable';
import { Blocks } from '../blocks';
import { addCotangent, requireCotangent, tensorOf } from '../network/feature-tensors';
import { isFirstConvolution, type Network } from '../network/network';
import { type FeatureMap, rowBytes, rowsOf } from '../network/pass';
import { layerShape, stageCount } from '../network/pass-plan';
import { roomIn } from '../require-room';
import { finish, finishInTurns, type Steps } from '../steps';
import { tensorValues } from '../tensor-values';
import { BandPasses } from './band-passes';
import { FeatureTargets, targetsOf } from './feature-targets';
import { gramTerm } from './gram-term';
import { histogramTerm } from './histogram-term';
import { MaskWeights } from './mask-weights';
import { momentsTerm } from './moments-term';
import { patchGramTerm } from './patch-gram-term';
import { tilingWithin } from './plan-run';
import { type EngineTerm, featureTerm, variationTerm } from './terms';
import { imageBytes, type ObjectiveRequest, type Tiling } from './tiling';

/** A term of either kind. */
type AnyTerm = LossTerm | StatisticTerm;

const isStatistic = (term: AnyTerm): term is StatisticTerm => 'statistic' in term;

/**
 * A leaf of the loss: terms that the engine evaluates itself, or a loss that tfjs computes from its layers' features.
 */
type Part = {
  readonly name: string;
  readonly weight: number;
} & (
  | { readonly terms: readonly { readonly term: AnyTerm; readonly engineTerm: EngineTerm }[] }
  | { readonly loss: Loss }
);

/** A loss as numbers. */
export interface FusedValue {
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
}

/** Options of {@link fusedObjective}. */
export interface FusedObjectiveOptions extends ObjectiveOptions {
  /** How the work is divided, whatever the room. @default the way of the least work that fits */
  readonly tiling?: Tiling | undefined;
}

/** An objective that can also be evaluated without tensors. */
export interface FusedObjective extends Objective {
  /**
   * The loss at an image [height][width][3].
   * @param gradient receives the gradient, of the image's length
   */
  compute(image: Float32Array, gradient: Float32Array): FusedValue;
  /**
   * {@link compute}, with a turn for other tasks after each tile; an image in one piece takes none.
   * @param image the image; called after every turn, in which memory may have moved
   * @param gradient receives the gradient; called likewise
   * @throws the signal's reason once it is aborted
   */
  computeInTurns(
    image: () => Float32Array,
    gradient: () => Float32Array,
    signal?: AbortSignal,
  ): Promise<FusedValue>;
}

/**
 * Makes an objective that computes loss and gradient inside the engine's memory. Losses without terms are computed by
 * tfjs, from the features of their own layers.
 *
 * An image that does not fit as a whole is computed band by band, in two passes over all of them: the first one
 * accumulates what terms need to know of the whole image, the second one computes gradients, which add up where bands
 * overlap. An image in one piece is one band, whose maps are still there in the second pass.
 *
 * @throws InvalidArgumentError `WRONG_SHAPE` if a target does not have the shape of its layer at this size
 * @throws EnvironmentError, before any work, if the engine has no room: `OUT_OF_MEMORY`, or `NOT_TILEABLE` if tiles
 *   would fit but cannot compute the loss
 */
export function fusedObjective(
  network: Network,
  loss: Loss,
  size: Size,
  { room, grey, tiling: given }: FusedObjectiveOptions = {},
): FusedObjective {
  network.requireAlive();
  const { engine } = network;
  const { memory } = engine;
  const [height, width] = size;
  const lifetime = new Lifetime('The objective');
  const { found, request } = resolve(network, loss);
  const cannot = untileable(loss);
  const refusal = cannot && ((at: Size, fits: (size: Size) => boolean) => notTileable(at, fits, cannot));
  const tiling = given ?? tilingWithin(network, size, request, roomIn(memory, room), refusal);
  const bands = bandsOf(network.steps, loss.layers, height, tiling.rows);
  const targets = new FeatureTargets(network, size, bands, tiling.holdsTargets);
  const masks = new MaskWeights(memory);

  const engineTermOf = (term: AnyTerm): EngineTerm => {
    if (isStatistic(term)) {
      const shape = layerShape(network, size, term.layer);
      return term.statistic === 'histogram'
        ? histogramTerm(engine, term, shape)
        : momentsTerm(engine, term, shape, masks.of(term.mask, shape[1], shape[2]));
    }
    if (term.kind === 'totalVariation')
      return variationTerm(engine, term, height, masks.ofPairs(term.mask, height, width));
    const shape = layerShape(network, size, term.layer);
    const weights = masks.of(term.mask, shape[1], shape[2]);
    if (term.kind === 'feature')
      return featureTerm(engine, term, targets.of(term), targets.lengths(term.layer), weights);
    const what = `The target of ${term.layer}`;
    const target = tensorValues(term.target, what, [shape[3], shape[3]], term.layer);
    return request.firstFromImage && isFirstConvolution(network, term.layer)
      ? patchGramTerm(network, term, target, shape, weights)
      : gramTerm(engine, term, target, shape, weights);
  };

  return owning(({ result }): FusedObjective => {
    // Filters outlive the objective: made later, they would lie behind its maps and leave a gap that is too small for
    // those of a larger image.
    for (const stage of network.stages.slice(1, stageCount(network.places, loss.layers)))
      stage.backwardFilters();
    const blocks = result(new Blocks(memory));
    const passes = new BandPasses(network, size, bands, request, tiling, blocks);
    result(targets);
    result(masks);
    const parts: readonly Part[] = found.map(({ name, weight, loss: leaf, terms }) =>
      terms
        ? { name, weight, terms: terms.map((term) => ({ term, engineTerm: result(engineTermOf(term)) })) }
        : { name, weight, loss: leaf },
    );
    targets.fill(passes.room);
    const engineTerms = parts.flatMap((part) => ('terms' in part ? part.terms : []));
    const highest = Math.max(...bands.map(({ rows }) => rows.to - rows.from));
    const gradientOfBand = blocks.allocate(imageBytes(highest, width));
    // The image, for losses of the image itself.
    const own = loss.layers.includes('image') ? blocks.allocate(imageBytes(highest, width)) : 0;
    const row = width * 3;

    const accumulate = (band: Band) => (layer: LayerName, map: FeatureMap) => {
      const rows = rowsOf(map, band.owned(layer), band.first(layer));
      if (rows.height === 0) return;
      for (const { term, engineTerm } of engineTerms) if (term.layer === layer) engineTerm.accumulate(rows);
    };

    /** Values of the losses that tfjs computes, and gradients with respect to their own layers. */
    const byTfjs = (image: () => Float32Array) =>
      parts
        .flatMap((part) => ('loss' in part ? [part] : []))
        .map(({ name, weight, loss: leaf }) =>
          tf.tidy(() => {
            const featureOf = (layer: LayerName) =>
              layer === 'image'
                ? tf.tensor4d(image().slice(), [1, height, width, 3])
                : tensorOf(engine, passes.secondOf(0).map(layer));
            const features = Object.fromEntries(leaf.layers.map((layer) => [layer, featureOf(layer)]));
            const { value, gradients } = valueAndCotangents(leaf, features as Features);
            for (const layer of leaf.layers)
              requireCotangent(layer, gradients[layer], layerShape(network, size, layer));
            return { weight, name, value: weight * value.dataSync()[0], gradients: { ...gradients } };
          }),
        );

    function* evaluation(image: () => Float32Array, gradient: () => Float32Array): Steps<FusedValue> {
      const pixels = (from: number, to: number) => {
        const part = image().subarray(from * row, to * row);
        return grey ? meanOfChannels(part) : part;
      };
      const rowsOfImage = ({ rows }: Band) => pixels(rows.from, rows.to);
      for (const { engineTerm } of engineTerms) engineTerm.begin();
      for (const [k, band] of bands.entries()) {
        if (k > 0) yield;
        for (const maps of passes.firstOf(k).forwardSteps(rowsOfImage(band), accumulate(band)))
          passes.keep(k, maps);
      }
      const others = tf.tidy(() => byTfjs(() => pixels(0, height)));
      try {
        const values = Object.fromEntries(parts.map(({ name }) => [name, 0]));
        for (const { name, value } of others) values[name] += value;
        for (const [k, band] of bands.entries()) {
          const pass = passes.secondOf(k);
          const last = k === bands.length - 1;
          if (bands.length > 1) {
            yield;
            targets.renew(band, passes.room);
            pass.forward(rowsOfImage(band));
          }
          const contribute = (layer: LayerName, map: FeatureMap, to: number) => {
            const owned = band.owned(layer);
            const rows = rowsOf(map, owned, band.first(layer));
            const at = to + owned.from * rowBytes({ ...map, fromImage: false });
            for (const part of parts) {
              if (!('terms' in part)) continue;
              for (const { term, engineTerm } of part.terms) {
                if (term.layer !== layer) continue;
                const weight = part.weight * term.weight;
                if (rows.height > 0) engineTerm.contribute(rows, at, weight);
                if (last) values[part.name] += weight * engineTerm.value();
              }
            }
            for (const { weight, gradients } of others) {
              const cotangent = gradients[layer]?.dataSync<'float32'>();
              if (!cotangent) continue;
              const floats = map.width * map.channels;
              const start = (rows.first ?? 0) * floats;
              addCotangent(engine, cotangent.subarray(start, start + rows.height * floats), rows, at, weight);
            }
          };
          pass.backward(loss.layers, contribute, gradientOfBand);
          if (own) {
            const pixels = rowsOfImage(band);
            memory.floats(own, pixels.length).set(pixels);
            const map = { height: pixels.length / row, width, channels: 3, relu: false, fromImage: false };
            contribute('image', { address: own, ...map }, gradientOfBand);
          }
          const { from, to } = band.rows;
          const ofBand = memory.floats(gradientOfBand, (to - from) * row);
          // Bands before have written to the first of its rows.
          const covered = Math.max(0, (bands[k - 1]?.rows.to ?? 0) - from) * row;
          addThenSet(gradient().subarray(from * row, to * row), ofBand, covered);
        }
        if (grey) meanOfChannels(gradient(), gradient());
        return { value: Object.values(values).reduce((a, b) => a + b, 0), terms: values };
      } finally {
        for (const { gradients } of others) tf.dispose(gradients as tf.TensorContainer);
      }
    }

    let evaluations = 0;
    /** An evaluation that begins anew if another one has used the objective's memory during a pause. */
    function* undisturbed(...views: Parameters<typeof evaluation>): Steps<FusedValue> {
      for (;;) {
        const mine = ++evaluations;
        const steps = evaluation(...views);
        try {
          for (;;) {
            lifetime.requireAlive();
            if (evaluations !== mine) break;
            const { done, value } = steps.next();
            if (done) return value;
            yield;
          }
        } finally {
          steps.return(undefined as never);
        }
      }
    }

    let running: Promise<unknown> | undefined;
    async function computeInTurns(
      image: () => Float32Array,
      gradient: () => Float32Array,
      signal?: AbortSignal,
    ): Promise<FusedValue> {
      while (running !== undefined) await running;
      const evaluated = finishInTurns(undisturbed(image, gradient), signal);
      const ended = () => {
        running = undefined;
      };
      running = evaluated.then(ended, ended);
      return evaluated;
    }

    const compute = (image: Float32Array, gradient: Float32Array) =>
      finish(
        undisturbed(
          () => image,
          () => gradient,
        ),
      );

    return {
      grey,
      compute,
      computeInTurns,
      evaluate(image) {
        lifetime.requireAlive();
        const gradient = new Float32Array(height * row);
        const { value, terms } = compute(
          tensorValues(image, 'The image', [height, width, 3], 'image'),
          gradient,
        );
        return tf.tidy(() => ({
          value: tf.scalar(value),
          gradient: tf.tensor3d(gradient, [height, width, 3]),
          terms: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, tf.scalar(term)])),
        }));
      },
      dispose() {
        if (!lifetime.end()) return;
        blocks.dispose();
        targets.dispose();
        masks.dispose();
        for (const { engineTerm } of engineTerms) engineTerm.dispose();
      },
    };
  });
}

/** Adds the first `covered` values, at most all, to those that are there, and sets the others. */
function addThenSet(to: Float32Array, values: Float32Array, covered: number): void {
  const added = Math.min(covered, values.length);
  for (let i = 0; i < added; i++) to[i] += values[i];
  to.set(values.subarray(added), added);
}

/** The mean of the channels of pixels, in each. @param to may be `pixels` itself */
function meanOfChannels(
  pixels: Float32Array,
  to: Float32Array = new Float32Array(pixels.length),
): Float32Array {
  for (let i = 0; i < pixels.length; i += 3)
    to[i] = to[i + 1] = to[i + 2] = (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
  return to;
}

/** A leaf of the loss with the terms of it that the engine evaluates; without any it is tfjs' part. */
interface FoundPart {
  readonly name: string;
  readonly weight: number;
  readonly loss: Loss;
  readonly terms: readonly AnyTerm[] | undefined;
}

/** The parts of a loss, and what they mean for the memory of an objective. */
function resolve(network: Network, loss: Loss) {
  const found = namedLeaves(loss).flatMap(({ name, weight, loss: leaf }): FoundPart[] => {
    if (leaf.statistics?.every(({ layer }) => network.places.has(layer)))
      return [{ name, weight, loss: leaf, terms: leaf.statistics }];
    const terms = leaf.terms?.filter((term) => isEngineTerm(term, network)) ?? [];
    if (terms.length === 0) return [{ name, weight, loss: leaf, terms: undefined }];
    const ofEngine = { name, weight, loss: leaf, terms };
    const others = leaf.terms?.filter((term) => !isEngineTerm(term, network)) ?? [];
    if (others.length === 0) return [ofEngine];
    // A Gram matrix of the image beside those of layers. These terms hold nothing that the leaf does not free.
    const byTfjs = lossOfTerms(leaf.name, others, { held: [] });
    return [ofEngine, { name, weight, loss: byTfjs, terms: undefined }];
  });
  const all = found.flatMap((part) => part.terms ?? []);
  const statistics = all.filter(isStatistic);
  const terms = all.filter((term): term is LossTerm => !isStatistic(term));
  const cotangents = found.flatMap((part) => (part.terms ? [] : part.loss.layers));
  const isFirst = (layer: LayerName) => network.places.get(layer)?.stage === 0;
  const request: ObjectiveRequest = {
    layers: loss.layers,
    // The map of the first convolution is a quarter of the memory. Its Gram terms do not need it; all other terms do.
    firstFromImage:
      terms.every(
        ({ layer, kind }) => !isFirst(layer) || (kind === 'gram' && isFirstConvolution(network, layer)),
      ) &&
      !statistics.some(({ layer }) => isFirst(layer)) &&
      !cotangents.some(isFirst),
    features: targetsOf(terms),
    grams: terms.flatMap(({ kind, layer }) => (kind === 'gram' ? [layer] : [])),
    statistics: statistics.map(({ layer }) => layer),
    cotangents,
    masks: maskRequests(all),
  };
  return { found, request };
}

/** The masks of terms, each with the layers that it is needed at. */
function maskRequests(terms: readonly AnyTerm[]): LayerName[][] {
  const layers = new Map<object, LayerName[]>();
  for (const { mask, layer } of terms)
    if (mask) layers.set(mask.weights.dataId, [...(layers.get(mask.weights.dataId) ?? []), layer]);
  return [...layers.values()];
}

/**
 * Whether the engine evaluates a term itself: features and Gram matrices of layers, pixels and total variation of the
 * image.
 */
function isEngineTerm({ kind, layer }: LossTerm, { places }: Network): boolean {
  if (kind === 'totalVariation') return layer === 'image';
  return kind === 'feature' ? layer === 'image' || places.has(layer) : places.has(layer);
}
