/// <reference types="@webgpu/types" />
import { version } from '../../../../package.json';
import { showText } from '../../../options/show';
import type { WeightCache } from '../../../storage/byte-cache';
import type { WeightsWarning } from '../../../storage/progress';
import { sha256OfText } from '../../../storage/sha256';
import type { Precision } from './precision';
import { layerKey, type TimedWay, type Timings, type TuningStore } from './tuning';

/** The folder of tunings in the cache of weights. */
const folder = 'tuning';

/** What timings hold for: a kind of adapter, this version's kernels, and what they multiply. */
async function identityOf(device: GPUDevice, precision: Precision) {
  const {
    vendor = '',
    architecture = '',
    device: model = '',
    description = '',
  } = (device as { readonly adapterInfo?: Partial<GPUAdapterInfo> }).adapterInfo ?? {};
  const identity = JSON.stringify({ vendor, architecture, model, description, precision, version });
  const hash = await sha256OfText(identity);
  return { identity, key: `${folder}/webgpu-${hash.slice(0, 16)}.json` };
}

/**
 * The timings of a device, in a file of the cache that weights are kept in; in memory alone without a cache. A file
 * that cannot be read or is damaged counts as absent, with a warning.
 */
export async function openTuning(
  device: GPUDevice,
  precision: Precision,
  cache: WeightCache | undefined,
  onWarning?: (warning: WeightsWarning) => void,
): Promise<TuningStore> {
  const { identity, key } = await identityOf(device, precision);
  const layers = new Map<string, Timings>();
  const read = async () => {
    for (const [name, timings] of timingsIn(await cache?.read(key), identity)) layers.set(name, timings);
  };
  await read().catch((cause: unknown) => {
    const isDamaged = cause instanceof DamagedTuning;
    const reason = showText(cause instanceof Error ? cause.message : String(cause), 200);
    onWarning?.({
      code: isDamaged ? 'CACHE_CORRUPT' : 'CACHE_READ_FAILED',
      message: `Timings of the GPU in ${showText(cache?.name ?? '', 200)} are measured anew: ${reason}`,
    });
  });
  return {
    read: (layer) => layers.get(layerKey(layer)),
    async write(layer, timings) {
      layers.set(layerKey(layer), timings);
      // Another program may have added layers meanwhile.
      const others = await readOthers(cache, key, identity);
      const all = Object.fromEntries([...others, ...layers]);
      const bytes = new TextEncoder().encode(`${JSON.stringify({ identity, layers: all }, undefined, 1)}\n`);
      // A cache that cannot be written costs the next program this measurement.
      await cache?.write(key, bytes).catch(() => {});
    },
  };
}

/** The layers in the file now; none if it cannot be read. */
async function readOthers(cache: WeightCache | undefined, key: string, identity: string) {
  try {
    return timingsIn(await cache?.read(key), identity);
  } catch {
    return [];
  }
}

/** A file of timings with other contents than were written. */
class DamagedTuning extends Error {}

function timingsIn(bytes: Uint8Array | undefined, identity: string): [string, Timings][] {
  if (!bytes) return [];
  const file = parsed(bytes);
  if (file.identity !== identity || typeof file.layers !== 'object' || file.layers === null)
    throw new DamagedTuning('the file is not of this adapter and version.');
  const layers = Object.entries(file.layers);
  if (!layers.every(([, timings]) => areTimings(timings)))
    throw new DamagedTuning('the file has other fields than timings have.');
  return layers as [string, Timings][];
}

function parsed(bytes: Uint8Array): { readonly identity?: unknown; readonly layers?: unknown } {
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as object | null) ?? {};
  } catch {
    throw new DamagedTuning('the file is no JSON.');
  }
}

function areTimings(value: unknown): value is Timings {
  return Array.isArray(value) && value.length > 0 && value.every(isTimedWay);
}

function isTimedWay(value: unknown): value is TimedWay {
  const { form, tile, milliseconds } = (value ?? {}) as Partial<TimedWay>;
  const { rows, columns, depth, blockRows, blockColumns } = tile ?? {};
  const isSide = (side: unknown, of: number) =>
    Number.isInteger(side) && (side as number) > 0 && (side as number) <= 256 && (side as number) % of === 0;
  return (
    ['taps', 'windows2', 'windows4'].includes(form as string) &&
    [rows, columns, depth, blockRows, blockColumns].every((side) => isSide(side, 4)) &&
    typeof milliseconds === 'number' &&
    milliseconds >= 0
  );
}
