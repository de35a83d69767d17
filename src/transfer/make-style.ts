import { whileDeviceLasts } from '../backends/lost-device';
import type { EngineExtractor } from '../engines/engine';
import { type EngineChoice, engineOptions, extractorConflict, ifSoftware } from '../engines/engine-options';
import { defaultLastLayer, loadVgg19On, type Weights } from '../engines/load-vgg19';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { Padding } from '../features/padding';
import { requireLayers } from '../features/require-layers';
import { deepestLayer, type Vgg19Layer, vgg19Layers } from '../features/vgg19/layers';
import type { OpenImage } from '../image/image-reader';
import { sizeAfter } from '../image/size-rule';
import type { ImageInput } from '../image/to-image';
import { type Conflict, requireNoConflict } from '../options/conflicts';
import { abortSignal, any, callback, number, optionTable, type WithDefaults } from '../options/table';
import { type Owner, owning } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import type { WeightsProgress, WeightsWarning } from '../storage/progress';
import {
  requireNetwork,
  type StyleNetwork,
  type StyleStatistics,
  styleNetworkOf,
} from '../styles/require-style';
import { gramOf, type StyleFile, tensorName } from '../styles/style-file';
import { StyleFold } from '../styles/style-fold';
import { styleTransferOptions } from './options';
import { getPreset, type PresetName, presetNames } from './presets';
import type { WarningEvent } from './progress';
import { defaultSize, pixels } from './scales';
import { sizeRule } from './schedule';
import { gramNumbers } from './style-grams';
import {
  type GivenStyle,
  noStyle,
  openStyle,
  readEntry,
  readStyles,
  type StyleEntry,
  type StyleInput,
} from './styles';

/** Styles of {@link MakeStyle}: as in `styleTransfer`, or any number of entries that are read one at a time. */
export type StyleInputs<Input = ImageInput> =
  | StyleInput<Input>
  | Iterable<StyleEntry<Input>>
  | AsyncIterable<StyleEntry<Input>>;

/** An image or a file has been added to a style. */
export interface StyleEvent {
  readonly type: 'style';
  /** Number of entries so far. */
  readonly styles: number;
  /** Number of images so far, those in style files included. */
  readonly images: number;
}

/** An event of {@link MakeStyle}. */
export type StyleProgress = WeightsProgress | WarningEvent | StyleEvent;

/** Options of {@link MakeStyle}. */
export interface MakeStyleOptions {
  /**
   * The preset that the style is for, which determines layers, scale of the Gram matrices and pooling.
   * @default 'li2021'; if the first style is a file, the file's
   */
  readonly preset?: PresetName | undefined;
  /**
   * Layers in place of the preset's. A file with the layers of several presets fits each of them.
   * @default the preset's style layers
   */
  readonly layers?: readonly Vgg19Layer[] | undefined;
  /**
   * Longer side in pixels to which each image is resized, 16 to 16384. It determines the scale of the strokes.
   * @default the image's own, at most 512
   */
  readonly size?: number | undefined;
  /**
   * A network that has been loaded already; it remains the caller's. Not beside `weights`, `padding`, `engine`,
   * `threads` or `relaxedSimd`.
   * @default loaded when the first image needs it, and disposed at the end
   */
  readonly extractor?: FeatureExtractor | undefined;
  /** As in `styleTransfer`: a style file fits only the weights that it was made with. */
  readonly weights?: Weights | undefined;
  /**
   * As in `styleTransfer`: a style file fits only the padding that it was made with.
   * @default the preset's; if the first style is a file, the file's
   */
  readonly padding?: Padding | undefined;
  /** As in `styleTransfer`. @default 'auto' */
  readonly engine?: EngineChoice | undefined;
  /** As in `styleTransfer`. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** As in `styleTransfer`. @default false */
  readonly relaxedSimd?: boolean | undefined;
  /** Ends the work between two layers; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event and awaited, except while weights are read. If it throws or rejects, the work ends. */
  readonly onProgress?: ((event: StyleProgress) => void | Promise<void>) | undefined;
}

const { preset, weights, padding, extractor } = styleTransferOptions.options;

/** Every option of {@link MakeStyle}. */
export const makeStyleOptions = /* @__PURE__ */ optionTable<MakeStyleOptions>()('makeStyle', {
  preset,
  layers: any<readonly Vgg19Layer[], { flag: string; help: string }>(
    'a list of layers of VGG-19',
    (value) =>
      Array.isArray(value) && value.length > 0 && value.every((layer) => vgg19Layers.includes(layer)),
    { flag: '--layers <names>', help: "layers, separated by commas (default: the preset's)" },
  ),
  size: number({
    ...pixels,
    flag: '--size <pixels>',
    help: `longer side of each picture (default: its own, at most ${defaultSize})`,
  }),
  extractor,
  weights,
  padding,
  ...engineOptions,
  signal: abortSignal(),
  onProgress: callback<NonNullable<MakeStyleOptions['onProgress']>>(),
});

const conflicts: readonly Conflict<keyof MakeStyleOptions>[] = [extractorConflict];

/**
 * Makes a style of one or many images: the targets of their style loss, blended by weight, as plain numbers. It may
 * stand wherever a style image may, and `encodeStyle` or `saveStyle` make a file of it.
 *
 * Entries of an iterable are read one at a time, and nothing is held of an image once it has been added, so that
 * hundreds of images can be folded into one style. Without images, of style files alone, no network is loaded.
 *
 * @param styles an image, a style, or entries `{ image, weight }` of both: a list, an iterable or an async iterable
 * @returns the style, in no need of disposal
 * @throws InvalidArgumentError if there is no style of positive weight, or an option is wrong; `WRONG_STYLE` if style
 *   files are of another network, layers or pooling than the rest; otherwise as `styleTransfer`
 * @example
 * ```ts
 * const style = await makeStyle([{ image: first, weight: 2 }, { image: second }]);
 * ```
 */
export type MakeStyle<Input> = (styles: StyleInputs<Input>, options?: MakeStyleOptions) => Promise<StyleFile>;

/** Makes a style of one or many images; see {@link MakeStyle}. */
export const makeStyle: MakeStyle<ImageInput> = /* @__PURE__ */ makeStyleOn(anyPlatform);

/** Makes `makeStyle` for a platform. */
export function makeStyleOn<Input>(platform: Platform<Input>): MakeStyle<Input> {
  return async (styles, options = {}) => {
    const settings = makeStyleOptions.read(options);
    requireNoConflict<keyof MakeStyleOptions>({ ...options }, conflicts);
    requireGramPreset(settings.preset);
    settings.signal?.throwIfAborted();
    const given = givenStyles(styles);
    // The preset's default gives way to what a style file has.
    const chosen = options.preset !== undefined || options.layers !== undefined;
    return owning((owner) => new StyleMaker(platform, settings, chosen, owner).make(given));
  };
}

/** Throws for a preset that compares another statistic: a style holds Gram matrices. */
function requireGramPreset(name: PresetName): void {
  const { statistic = 'gram' } = getPreset(name).style;
  if (statistic === 'gram') return;
  const accepted = presetNames.filter((other) => (getPreset(other).style.statistic ?? 'gram') === 'gram');
  throw new InvalidArgumentError(
    'WRONG_STYLE',
    `preset is '${name}', which compares the statistic '${statistic}', and a style holds Gram matrices; accepted: ${accepted.join(', ')}.`,
    { option: 'preset', value: name, accepted },
  );
}

/** The entries of an argument; those of a list have been checked. */
function givenStyles<Input>(
  styles: StyleInputs<Input>,
): Iterable<GivenStyle<Input>> | AsyncIterable<GivenStyle<Input>> {
  return isStream(styles) ? entriesOf(styles) : readStyles(styles as StyleInput<Input>);
}

/** Whether styles are entries that come one after the other, other than in a list. */
function isStream<Input>(
  styles: StyleInputs<Input>,
): styles is Iterable<StyleEntry<Input>> | AsyncIterable<StyleEntry<Input>> {
  return (
    typeof styles === 'object' &&
    styles !== null &&
    !Array.isArray(styles) &&
    !ArrayBuffer.isView(styles) &&
    (Symbol.asyncIterator in styles || Symbol.iterator in styles)
  );
}

async function* entriesOf<Input>(
  entries: Iterable<StyleEntry<Input>> | AsyncIterable<StyleEntry<Input>>,
): AsyncGenerator<GivenStyle<Input>> {
  let index = 0;
  for await (const entry of entries) yield readEntry(`style[${index++}]`, entry);
}

type Settings = WithDefaults<MakeStyleOptions, typeof makeStyleOptions.options>;

/** Adds styles to one. */
class StyleMaker<Input> {
  private readonly fold = new StyleFold();
  private images = 0;
  private longerSide: StyleFile['longerSide'] = [Infinity, 0];
  /** The network and the statistics that all styles have in common, once there is one. */
  private network: StyleNetwork | undefined;
  /** The first style file, as long as no image has been compared with it. */
  private first: { readonly option: string; readonly file: StyleFile } | undefined;
  private extractor: EngineExtractor | undefined;

  constructor(
    private readonly platform: Platform<Input>,
    private readonly settings: Settings,
    private readonly chosen: boolean,
    private readonly owner: Owner,
  ) {}

  async make(styles: Iterable<GivenStyle<Input>> | AsyncIterable<GivenStyle<Input>>): Promise<StyleFile> {
    const { signal, onProgress } = this.settings;
    let count = 0;
    for await (const style of styles) {
      signal?.throwIfAborted();
      count++;
      const { option, weight, image, file } = await openStyle(this.platform, style, signal);
      if (file) this.addFile(option, file, weight);
      else await this.addImage(image, weight);
      await onProgress?.({ type: 'style', styles: count, images: this.images });
    }
    const { network, fold, images, longerSide } = this;
    if (count === 0) throw noStyle('EMPTY', 'style has no entries', styles);
    if (!network || !fold.hasStyle) throw noStyle('OUT_OF_RANGE', 'The weights of style are all 0', styles);
    const tensors = Array.from(fold.mean(), ([layer, values]) => {
      const n = Math.sqrt(values.length);
      return [tensorName('gram', layer), { shape: [n, n], values }] as const;
    });
    return {
      kind: 'style',
      name: `a style of ${images === 1 ? 'one image' : `${images} images`}`,
      formatVersion: 1,
      ...network,
      images,
      longerSide,
      tensors: new Map(tensors),
    };
  }

  private addFile(option: string, file: StyleFile, weight: number): void {
    let by = this.extractor ? 'the network' : 'the style before it';
    if (this.network === undefined) {
      const network = networkOfFile(file, this.statistics(file));
      this.network = { ...network, padding: this.settings.padding ?? network.padding };
      this.first = { option, file };
      by = 'the options';
    }
    const { network } = this;
    requireNetwork(option, file, network, by);
    if (weight === 0) return;
    this.fold.add(new Map(network.layers.map((layer) => [layer, gramOf(file, layer)])), weight);
    this.count(file.images, file.longerSide);
  }

  private async addImage(image: OpenImage, weight: number): Promise<void> {
    this.extractor ??= await this.loadExtractor();
    const statistics = this.network ?? this.statistics();
    await this.requireOneNetwork(this.extractor, statistics);
    if (weight === 0) return;
    const { extractor, fold } = this;
    const { signal } = this.settings;
    const size = sizeAfter(sizeRule(this.settings.size), image.width, image.height);
    const add = () =>
      owning(async ({ temporary }) => {
        const decoded = temporary(await image.decode(size));
        fold.add(await gramNumbers(extractor, statistics, { image: decoded, weight }, { signal }), weight);
      });
    await whileDeviceLasts(add);
    const side = Math.max(size.width, size.height);
    this.count(1, [side, side]);
  }

  private count(images: number, [smallest, largest]: StyleFile['longerSide']): void {
    this.images += images;
    this.longerSide = [Math.min(smallest, this.longerSide[0]), Math.max(largest, this.longerSide[1])];
  }

  /** The statistics of the style: those that were asked for, else those of the file that came first. */
  private statistics(first?: StyleFile): StyleStatistics {
    if (first && !this.chosen) return { layers: first.layers, normalization: first.normalization };
    const { style } = getPreset(this.settings.preset);
    return { layers: this.settings.layers ?? style.layers, normalization: style.normalization };
  }

  /** Throws unless the style files before the first image were made with the extractor's network. */
  private async requireOneNetwork(extractor: EngineExtractor, statistics: StyleStatistics): Promise<void> {
    const { first } = this;
    if (this.network && !first) return;
    this.network = await styleNetworkOf(extractor, statistics.layers, statistics.normalization);
    if (first) requireNetwork(first.option, first.file, this.network, 'the network');
    this.first = undefined;
  }

  private async loadExtractor(): Promise<EngineExtractor> {
    const { settings, platform, network } = this;
    const { layers } = network ?? this.statistics();
    const onWarning = (warning: WeightsWarning) =>
      void settings.onProgress?.({ type: 'warning', ...warning });
    await requireBackend(platform, onWarning, ifSoftware(settings.engine, settings.extractor !== undefined));
    if (settings.extractor) {
      requireLayers('layers', 'The style', layers, settings.extractor);
      return settings.extractor;
    }
    const { weights, engine, threads, relaxedSimd, signal, onProgress } = settings;
    return this.owner.temporary(
      await loadVgg19On(platform, {
        weights,
        lastLayer: deepestLayer(layers) ?? defaultLastLayer,
        pooling: network?.pooling ?? getPreset(settings.preset).pooling,
        padding: settings.padding ?? (network ? network.padding : getPreset(settings.preset).padding),
        engine,
        threads,
        relaxedSimd,
        signal,
        onProgress,
        onWarning,
      }),
    );
  }
}

/** The network of a file, with some of its layers in the file's order; layers that it does not have come last. */
function networkOfFile(file: StyleFile, { layers, normalization }: StyleStatistics): StyleNetwork {
  const { network, weights, pooling, padding, weightsHashes } = file;
  const ordered = [
    ...file.layers.filter((layer) => layers.includes(layer)),
    ...layers.filter((layer) => !file.layers.includes(layer)),
  ];
  const hashes = weightsHashes && Object.fromEntries(ordered.map((layer) => [layer, weightsHashes[layer]]));
  return { network, weights, weightsHashes: hashes, pooling, padding, layers: ordered, normalization };
}
