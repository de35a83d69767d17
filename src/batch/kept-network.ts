import type { EngineExtractor } from '../engines/engine';
import { defaultLastLayer, type LoadedExtractor, loadVgg19On } from '../engines/load-vgg19';
import { deepestLayer, type Vgg19Layer } from '../features/vgg19/layers';
import { lendExtractor } from '../transfer/lend-extractor';
import { type StyleTargets, sharingTargets } from './style-targets';

/** A network that stays loaded between runs, with its threads, and whose styles' targets are computed once. */
export interface KeptNetwork {
  /** What runs load the network by. The extractor is lent: `dispose()` of it does nothing. */
  readonly load: typeof loadVgg19On;
  /** The extractor of the last run. */
  extractor(): EngineExtractor | undefined;
  /** Frees the network. */
  dispose(): void;
}

/** Keeps the network of the last run. One that is of other weights or not deep enough for a run is replaced. */
export function keepNetwork(targets: StyleTargets): KeptNetwork {
  let kept:
    | { readonly key: string; readonly layer: Vgg19Layer; readonly extractor: LoadedExtractor }
    | undefined;
  const dispose = () => {
    kept?.extractor.dispose();
    kept = undefined;
  };
  return {
    async load(platform, options) {
      const { lastLayer: layer = defaultLastLayer, signal, onProgress, onWarning, ...which } = options;
      const key = JSON.stringify(which);
      if (kept?.key !== key || deepestLayer([kept.layer, layer]) !== kept.layer) {
        dispose();
        kept = { key, layer, extractor: await loadVgg19On(platform, options) };
      }
      const { threads: _, ...ofTargets } = which;
      const changes = sharingTargets(kept.extractor, JSON.stringify(ofTargets), targets);
      return { ...lendExtractor(kept.extractor, changes), [Symbol.dispose]: () => {} };
    },
    extractor: () => kept?.extractor,
    dispose,
  };
}
