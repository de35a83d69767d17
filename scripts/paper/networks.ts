import { WeightsError } from '../../src/errors';
import type { FeatureExtractor } from '../../src/features/extractor';
import { deepestLayer } from '../../src/features/vgg19/layers';
import { loadVgg19 } from '../../src/node/load-vgg19';
import { getPreset, presetLayers } from '../../src/transfer/presets';
import { isFeedForward, type System } from './systems';

/** The networks that systems need, each loaded once. */
export class Networks {
  private readonly loaded = new Map<string, FeatureExtractor>();

  /** @param weights a folder, file or URL; undefined for the default of `nodeWeights` */
  constructor(private readonly weights: string | undefined) {}

  /** The network of a system; it belongs to this object. */
  async for({ id }: Pick<System, 'id'>): Promise<FeatureExtractor> {
    if (isFeedForward(id)) throw new Error(`${id} is trained, and minimises nothing`);
    const preset = getPreset(id);
    const lastLayer = deepestLayer(presetLayers(preset));
    const key = `${lastLayer} ${preset.pooling}`;
    const extractor =
      this.loaded.get(key) ??
      (await loadVgg19({ weights: this.weights, lastLayer, pooling: preset.pooling }));
    this.loaded.set(key, extractor);
    return extractor;
  }

  /** Those systems whose layers the weights have, and why the others cannot run. */
  async available(
    systems: readonly System[],
  ): Promise<{ present: System[]; missing: { title: string; reason: string }[] }> {
    const present: System[] = [];
    const missing: { title: string; reason: string }[] = [];
    for (const system of systems) {
      try {
        if (!isFeedForward(system.id)) await this.for(system);
        present.push(system);
      } catch (error) {
        if (!(error instanceof WeightsError)) throw error;
        missing.push({ title: system.title, reason: error.message });
      }
    }
    return { present, missing };
  }

  dispose(): void {
    for (const extractor of this.loaded.values()) extractor.dispose();
    this.loaded.clear();
  }
}
