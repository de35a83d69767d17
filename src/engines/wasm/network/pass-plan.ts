import type { LayerName } from '../../../features/layer-name';
import { planMemory, type Tenant } from '../runtime/memory-plan';
import type { Network, Place } from './network';

/** What a pass is for, which decides which feature maps it keeps, and how long. */
export interface PassOptions {
  /** Layers that features are asked for, or that gradients come in at. */
  readonly layers: readonly LayerName[];
  /** `never`: nothing is kept; `once`: a way back follows each way forward; `often`: any number of them. */
  readonly backward: 'never' | 'once' | 'often';
  /** Whether `conv1_1` is asked for only as patches of the image, so that its map need not be kept. @default false */
  readonly patches?: boolean;
}

/** Where the maps of a stage lie; 0 for those that there is no need for. */
export interface StageMaps {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** The convolution's output before its ReLU. */
  readonly output: number;
  /** The pooled ReLU of it, and the gradient of that. */
  readonly pooled: number;
  readonly pooledGradient: number;
  /** The gradient of the output. */
  readonly gradient: number;
}

/** The memory of a pass. */
export interface PassPlan {
  readonly bytes: number;
  /** The addresses of the normalised image with its border, and of the maps, in memory that begins at `memory`. */
  at(memory: number): { readonly input: number; readonly stages: readonly StageMaps[] };
}

/**
 * Who needs which memory when. Stage i of n is computed at step i; its gradient takes two steps, n + 2 (n - 1 - i) and the next: through
 * the convolution behind it, then through the pooling between. Maps that are not needed at the same time share memory. The first map, the largest, is not
 * stored unless somebody asks for it: it is made anew where it is read.
 */
export function planPass(
  { stages, places }: Network,
  height: number,
  width: number,
  { layers, backward, patches = false }: PassOptions,
): PassPlan {
  const wanted = layers.filter((layer) => layer !== 'image').map((layer) => places.get(layer) as Place);
  const count = 1 + Math.max(-1, ...wanted.map(({ stage }) => stage));
  const storesFirst = wanted.some(({ stage }) => stage === 0) && !patches;
  const tenants: Tenant[] = [];
  /** Takes part in the plan. @returns the address, once the plan is made */
  const need = (floats: number, from: number, to: number): Address => {
    const index = tenants.push({ bytes: 4 * floats, from, to }) - 1;
    return (memory) => memory + offsets[index];
  };

  const throughConvolution = (stage: number) => count + 2 * (count - 1 - stage);
  const throughPooling = (stage: number) => throughConvolution(stage) + 1;
  const end = throughConvolution(-1);
  const lastRead = (stage: number) =>
    ({ never: stage + 1, once: throughPooling(stage), often: end })[backward];
  const input = need((height + 2) * (width + 2) * 3 + 16, 0, storesFirst ? 0 : lastRead(0));
  const maps: ((memory: number) => StageMaps)[] = [];
  let [h, w] = [height, width];
  for (let i = 0; i < count; i++) {
    const channels = stages[i].channelsOut;
    if (stages[i].afterPool) [h, w] = [h >> 1, w >> 1];
    // Products read rows of features by fours.
    const floats = (h * w + 4) * channels;
    const pooledFloats = (h >> 1) * (w >> 1) * channels;
    const poolWanted = wanted.some(({ stage, part }) => stage === i && part === 'pool');
    const pools = poolWanted || (i + 1 < count && stages[i + 1].afterPool);
    const comesBack = backward !== 'never';
    const output = i > 0 || storesFirst ? need(floats, i, lastRead(i)) : nowhere;
    const pooled = pools ? need(pooledFloats, i, poolWanted ? Math.max(i + 1, lastRead(i)) : i + 1) : nowhere;
    const pooledGradient =
      pools && comesBack ? need(pooledFloats, throughConvolution(i), throughPooling(i)) : nowhere;
    const gradient = comesBack
      ? need(floats, pools ? throughPooling(i) : throughConvolution(i), throughConvolution(i - 1))
      : nowhere;
    const extent = { height: h, width: w, channels };
    maps.push((memory) => ({
      ...extent,
      output: output(memory),
      pooled: pooled(memory),
      pooledGradient: pooledGradient(memory),
      gradient: gradient(memory),
    }));
  }

  const { offsets, bytes } = planMemory(tenants);
  return { bytes, at: (memory) => ({ input: input(memory), stages: maps.map((map) => map(memory)) }) };
}

/** Where a map lies in a pass's memory. */
type Address = (memory: number) => number;

const nowhere: Address = () => 0;
