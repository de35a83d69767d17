import type { LayerName } from '../../../features/layer-name';
import type { Size } from '../../shared/fitting-size';
import { planMemory, type Tenant } from '../runtime/memory-plan';
import type { Network, Place } from './network';

/** Purpose of a pass, which determines the feature maps that it keeps and their lifetimes. */
export interface PassOptions {
  /** Layers whose features are read or whose gradients are added. */
  readonly layers: readonly LayerName[];
  /** Number of backward passes after a forward pass: none, so that nothing is kept; one; or any number. */
  readonly backward: 'never' | 'once' | 'often';
  /**
   * Whether the readers of the first convolution's layers compute them from the normalised image, so that the largest
   * map need not be stored.
   * @default false
   */
  readonly firstFromImage?: boolean;
  /**
   * The first stage, from the second on, whose maps an earlier pass over the same image has left outside of this pass's
   * memory: they and those behind are not computed again. @default none
   */
  readonly keptFrom?: number | undefined;
}

/** Addresses of maps outside of a pass's memory; 0 for maps that are not kept. */
export type KeptMaps = Pick<StageMaps, 'output' | 'pooled'>;

/** Addresses of a stage's maps; 0 for maps that are not stored. */
export interface StageMaps {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** The convolution's output before its ReLU. */
  readonly output: number;
  /** The pooled ReLU of the output, and its gradient. */
  readonly pooled: number;
  readonly pooledGradient: number;
  /** The gradient of the output. */
  readonly gradient: number;
}

/** The memory of a pass. */
export interface PassPlan {
  readonly bytes: number;
  /**
   * The addresses of the normalised image with its border, and of the maps, in memory that begins at `memory`.
   * @param kept the maps of stages that are kept elsewhere, by stage
   */
  at(memory: number, kept?: readonly KeptMaps[]): PassMemory;
}

/** Addresses of the maps of a pass. */
export interface PassMemory {
  readonly input: number;
  readonly stages: readonly StageMaps[];
}

/**
 * Lifetimes of maps, in steps. Forward: stage i of n runs at step i. Backward: step n + 2 (n - 1 - i) is the
 * convolution behind stage i, the next one its pooling. Maps whose lifetimes do not overlap share memory. The first
 * map, the largest, is stored only if its layers are requested: the next convolution recomputes it block by block as it
 * reads.
 */
export function planPass(
  { stages, places }: Network,
  height: number,
  width: number,
  { layers, backward, firstFromImage = false, keptFrom = Number.POSITIVE_INFINITY }: PassOptions,
): PassPlan {
  const wanted = placesOf(places, layers);
  const count = stageCount(places, layers);
  const storesFirst = wanted.some(({ stage }) => stage === 0) && !firstFromImage;
  const tenants: Tenant[] = [];
  /** Reserves memory for steps `from` to `to`. @returns its address, once the plan is made */
  const reserve = (floats: number, from: number, to: number): Address => {
    const index = tenants.push({ bytes: 4 * floats, from, to }) - 1;
    return (memory) => memory + offsets[index];
  };

  const throughConvolution = (stage: number) => count + 2 * (count - 1 - stage);
  const throughPooling = (stage: number) => throughConvolution(stage) + 1;
  const end = throughConvolution(-1);
  const lastRead = (stage: number) => {
    if (backward === 'often') return end;
    if (backward === 'once') return throughPooling(stage);
    // Forward only: the next stage reads the output, unless it reads the pooled one.
    return stage + 1 < count && !stages[stage + 1].afterPool ? stage + 1 : stage;
  };
  const input = reserve((height + 2) * (width + 2) * 3 + 16, 0, storesFirst ? 0 : lastRead(0));
  const maps: ((memory: number, kept: KeptMaps | undefined) => StageMaps)[] = [];
  let [h, w] = [height, width];
  for (let i = 0; i < count; i++) {
    const channels = stages[i].channelsOut;
    if (stages[i].afterPool) [h, w] = [h >> 1, w >> 1];
    // Kernels read four rows of features at a time.
    const floats = (h * w + 4) * channels;
    const pooledFloats = (h >> 1) * (w >> 1) * channels;
    const poolWanted = wanted.some(({ stage, part }) => stage === i && part === 'pool');
    const pools = poolWanted || (i + 1 < count && stages[i + 1].afterPool);
    const comesBack = backward !== 'never';
    const computed = i < keptFrom;
    const output = computed && (i > 0 || storesFirst) ? reserve(floats, i, lastRead(i)) : notStored;
    const readsPooled = poolWanted || i + 1 < keptFrom;
    const pooled =
      computed && pools && readsPooled
        ? reserve(pooledFloats, i, poolWanted ? Math.max(i + 1, lastRead(i)) : i + 1)
        : notStored;
    const pooledGradient =
      pools && comesBack ? reserve(pooledFloats, throughConvolution(i), throughPooling(i)) : notStored;
    const gradient = comesBack
      ? reserve(floats, pools ? throughPooling(i) : throughConvolution(i), throughConvolution(i - 1))
      : notStored;
    const extent = { height: h, width: w, channels };
    maps.push((memory, kept) => ({
      ...extent,
      output: computed ? output(memory) : (kept?.output ?? 0),
      pooled: computed ? pooled(memory) : (kept?.pooled ?? 0),
      pooledGradient: pooledGradient(memory),
      gradient: gradient(memory),
    }));
  }

  const { offsets, bytes } = planMemory(tenants);
  return {
    bytes,
    at: (memory, kept = []) => ({
      input: input(memory),
      stages: maps.map((map, i) => map(memory, kept[i])),
    }),
  };
}

/** The positions of those of some layers that are the network's. */
export const placesOf = (places: Network['places'], layers: readonly LayerName[]): readonly Place[] =>
  layers.flatMap((layer) => places.get(layer) ?? []);

/** Number of stages up to the deepest of some layers. */
export const stageCount = (places: Network['places'], layers: readonly LayerName[]): number =>
  1 + Math.max(-1, ...placesOf(places, layers).map(({ stage }) => stage));

/** How often the output of a stage has been halved. */
export const halvingsOf = ({ stages }: Network, stage: number): number =>
  stages.slice(0, stage + 1).filter(({ afterPool }) => afterPool).length;

/** Shape [1, height, width, channels] of a layer's feature map at images of a size. */
export function layerShape(
  network: Network,
  [height, width]: Size,
  layer: LayerName,
): readonly [1, number, number, number] {
  const place = network.places.get(layer);
  if (!place) return [1, height, width, 3];
  const halvings = halvingsOf(network, place.stage) + Number(place.part === 'pool');
  return [1, height >> halvings, width >> halvings, network.stages[place.stage].channelsOut];
}

/** Computes the address of a map from the address of the pass's memory. */
type Address = (memory: number) => number;

const notStored: Address = () => 0;
