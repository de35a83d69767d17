import * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../engines/engine';
import { defaultLastLayer, loadVgg19On } from '../engines/load-vgg19';
import { deepestLayer, type Vgg19Layer } from '../features/vgg19/layers';
import type { Image } from '../image/image';
import type { Platform } from '../platform';
import { lendExtractor } from './lend-extractor';
import { sharingTargets, targetsInMemory } from './style-targets';

/** Work that runs have in common, done once: the network with its threads, decoded images, and styles' targets. */
export interface SharedWork<Input> {
  readonly platform: Platform<Input>;
  /** What runs load the network by. The extractor is lent: `dispose()` of it does nothing. */
  readonly load: typeof loadVgg19On;
  /** The extractor of the last run. */
  extractor(): EngineExtractor | undefined;
  /** Frees all. */
  dispose(): void;
}

/**
 * Makes runs on a platform share their work. A network that is not deep enough for a run is replaced by its own.
 *
 * @param keeps whether decoded images of an option, such as `'content'` or `'style'`, are kept. @default those of all
 * @param targets targets of styles, which others may share too. @default those of these runs
 */
export function shareWork<Input>(
  platform: Platform<Input>,
  keeps: (option: string) => boolean = () => true,
  targets = targetsInMemory(),
): SharedWork<Input> {
  const images = new Map<string, Image>();
  let loaded:
    | { readonly key: string; readonly layer: Vgg19Layer; readonly extractor: EngineExtractor }
    | undefined;
  const nameOf = namesOfInputs();

  const forget = () => {
    loaded?.extractor.dispose();
    loaded = undefined;
  };

  return {
    platform: {
      ...platform,
      async open(option, input, ...rest) {
        const opened = await platform.open(option, input, ...rest);
        if (!keeps(option)) return opened;
        return {
          ...opened,
          async decode(size) {
            const key = JSON.stringify([option, nameOf(input), size]);
            const image = images.get(key) ?? tf.keep(await opened.decode(size));
            images.set(key, image);
            return tf.clone(image);
          },
        };
      },
    },
    async load(on, options) {
      const { lastLayer: layer = defaultLastLayer, signal, onProgress, onWarning, ...which } = options ?? {};
      const key = JSON.stringify(which);
      if (loaded?.key !== key || deepestLayer([loaded.layer, layer]) !== loaded.layer) {
        forget();
        loaded = { key, layer, extractor: await loadVgg19On(on, options) };
      }
      const { threads: _, ...ofTargets } = which;
      const changes = sharingTargets(loaded.extractor, JSON.stringify(ofTargets), targets);
      return { ...lendExtractor(loaded.extractor, changes), [Symbol.dispose]: () => {} };
    },
    extractor: () => loaded?.extractor,
    dispose() {
      forget();
      tf.dispose([...images.values()]);
      images.clear();
    },
  };
}

/** Names inputs: paths and addresses by themselves, objects by numbers of their own. */
function namesOfInputs(): (input: unknown) => string | number {
  const numbers = new WeakMap<object, number>();
  let last = 0;
  return (input) => {
    if (typeof input !== 'object' || input === null || input instanceof URL) return String(input);
    const number = numbers.get(input) ?? ++last;
    numbers.set(input, number);
    return number;
  };
}
