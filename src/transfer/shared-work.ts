import * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor, GramMatrices } from '../engines/engine';
import { defaultLastLayer, loadVgg19On } from '../engines/load-vgg19';
import { deepestLayer, type Vgg19Layer } from '../features/vgg19/layers';
import type { Image } from '../image/image';
import type { Platform } from '../platform';
import { lendExtractor } from './lend-extractor';

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
 */
export function shareWork<Input>(
  platform: Platform<Input>,
  keeps: (option: string) => boolean = () => true,
): SharedWork<Input> {
  const images = new Map<string, Image>();
  const targets = new Map<string, GramMatrices>();
  let loaded:
    | { readonly key: string; readonly layer: Vgg19Layer; readonly extractor: EngineExtractor }
    | undefined;
  /** Names of the decoded images by their data, which they share with their copies. */
  const names = new WeakMap<object, string>();
  const nameOf = namesOfInputs();

  const forget = () => {
    for (const grams of targets.values()) tf.dispose(Object.values(grams));
    targets.clear();
    loaded?.extractor.dispose();
    loaded = undefined;
  };

  const gramsOnce =
    (extractor: EngineExtractor): EngineExtractor['gramMatricesInTurns'] =>
    async (image, layers, { signal, room, ...options } = {}) => {
      const inTurns = extractor.gramMatricesInTurns;
      if (!inTurns) throw new TypeError('The engine has no gramMatricesInTurns.');
      const compute = () => inTurns.call(extractor, image, layers, { ...options, room, signal });
      const name = names.get(image.dataId);
      // Images of smaller stages are made anew in each run.
      if (name === undefined) return compute();
      const key = JSON.stringify([name, layers, options]);
      let grams = targets.get(key);
      if (!grams) {
        grams = await compute();
        for (const gram of Object.values(grams)) tf.keep(gram as tf.Tensor);
        targets.set(key, grams);
      }
      const copies = Object.entries(grams).map(([layer, gram]) => [layer, tf.clone(gram as tf.Tensor)]);
      return Object.fromEntries(copies) as GramMatrices;
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
            names.set(image.dataId, key);
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
      return lend(loaded.extractor, gramsOnce(loaded.extractor));
    },
    extractor: () => loaded?.extractor,
    dispose() {
      forget();
      tf.dispose([...images.values()]);
      images.clear();
    },
  };
}

/** An extractor whose `dispose` does nothing, and whose Gram matrices are computed once. */
function lend(
  extractor: EngineExtractor,
  gramMatricesInTurns: EngineExtractor['gramMatricesInTurns'],
): Awaited<ReturnType<typeof loadVgg19On>> {
  const changes = { gramMatricesInTurns: extractor.gramMatricesInTurns && gramMatricesInTurns };
  return { ...lendExtractor(extractor, changes), [Symbol.dispose]: () => {} };
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
