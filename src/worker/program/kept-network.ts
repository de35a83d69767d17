import { type LoadedExtractor, type LoadVgg19Options, loadVgg19On } from '../../engines/load-vgg19';
import type { Platform } from '../../platform';

/** The network of the last run, for the next one if it asks for the same. */
export class KeptNetwork {
  private kept:
    | { readonly key: string; readonly extractor: LoadedExtractor; readonly end: () => void }
    | undefined;

  /** As `loadVgg19On`. The extractor's `dispose` has no effect: it stays until another network takes its place. */
  async load(platform: Platform<never>, options: LoadVgg19Options): Promise<LoadedExtractor> {
    const key = keyOf(options);
    if (this.kept && this.kept.key === key) return this.kept.extractor;
    this.kept?.end();
    this.kept = undefined;
    const extractor = await loadVgg19On(platform, options);
    // Left to itself, another run may find VGG-19 in the cache meanwhile.
    if (key === undefined || (options.weights === undefined && extractor.embedded)) return extractor;
    const end = extractor.dispose.bind(extractor);
    extractor.dispose = () => {};
    this.kept = { key, extractor, end };
    return extractor;
  }
}

/** What tells networks apart; undefined for weights that have no name. */
function keyOf({
  signal: _,
  onProgress: __,
  onWarning: ___,
  ...choice
}: LoadVgg19Options): string | undefined {
  const { weights } = choice;
  if (weights !== undefined && typeof weights !== 'string') return undefined;
  return JSON.stringify(choice);
}
