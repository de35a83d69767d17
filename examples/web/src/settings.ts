import { defaultPreset, getPreset, type PresetName, presetNames } from 'tfjs-style-transfer';
import { contentExamples, type ExampleName, styleExamples } from './examples';

/** What the page paints with, apart from pictures of the visitor. All of it fits into a link. */
export interface PageSettings {
  readonly preset: PresetName;
  readonly alpha: number;
  readonly beta: number;
  /** Longer side in pixels. */
  readonly size: number;
  /** Iterations of the optimiser. */
  readonly steps: number;
  readonly network: NetworkName;
}

export type NetworkName = 'embedded' | 'vgg19';

/** Settings and example pictures, as a link holds them. */
export interface Link extends PageSettings {
  readonly content: ExampleName | undefined;
  readonly style: ExampleName | undefined;
}

/** Sizes that a page paints in a bearable time. */
export const sizes = { min: 64, max: 1024, default: 384 };

/** Factors by which alpha and beta may depart from those that were published. */
export const factors = { min: 1e-3, max: 1e3 };

/** Most steps that the page takes, for a preset that asks for fewer. */
export const mostSteps = 300;

/** The settings of a preset as they were published. */
export function publishedSettings(preset: PresetName = defaultPreset): Omit<PageSettings, 'network'> {
  const { alpha, beta, iterations } = getPreset(preset);
  return { preset, alpha, beta, size: sizes.default, steps: iterations };
}

/** The fragment of a link: what differs from the defaults. A fragment is not sent to any server. */
export function linkOf({ content, style, ...settings }: Link): string {
  const published: Record<string, unknown> = { ...publishedSettings(settings.preset), network: 'embedded' };
  const changed: [string, unknown][] = Object.entries(settings).filter(
    ([name, value]) => value !== published[name],
  );
  if (settings.preset !== defaultPreset) changed.unshift(['preset', settings.preset]);
  if (content && content !== contentExamples[0].name) changed.push(['content', content]);
  if (style && style !== styleExamples[0].name) changed.push(['style', style]);
  return changed.length === 0 ? '' : `#${new URLSearchParams(changed.map(([k, v]) => [k, String(v)]))}`;
}

/** The settings of a link, and a sentence for each that cannot be used; such have their defaults. */
export function readLink(fragment: string): { readonly link: Link; readonly problems: readonly string[] } {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const problems: string[] = [];
  const refuse = (name: string, value: string, accepted: string) =>
    problems.push(`The link's ${name} is “${value.slice(0, 40)}”; accepted: ${accepted}.`);

  const name = <T extends string>(key: string, names: readonly T[], otherwise: T): T => {
    const value = given.get(key);
    if (value === null || (names as readonly string[]).includes(value)) return (value as T) ?? otherwise;
    refuse(key, value, names.join(', '));
    return otherwise;
  };
  const number = (key: string, [min, max]: readonly [number, number], otherwise: number, whole = false) => {
    const value = given.get(key);
    if (value === null) return otherwise;
    const parsed = value.trim() === '' ? Number.NaN : Number(value);
    if (parsed >= min && parsed <= max && (!whole || Number.isInteger(parsed))) return parsed;
    refuse(
      key,
      value,
      whole ? `a whole number from ${min} to ${max}` : `a number from ${short(min)} to ${short(max)}`,
    );
    return otherwise;
  };

  const published = publishedSettings(name('preset', presetNames, defaultPreset));
  const around = (value: number) => [value * factors.min, value * factors.max] as const;
  const link: Link = {
    preset: published.preset,
    alpha: number('alpha', around(published.alpha), published.alpha),
    beta: number('beta', around(published.beta), published.beta),
    size: number('size', [sizes.min, sizes.max], published.size, true),
    steps: number('steps', [1, Math.max(mostSteps, published.steps)], published.steps, true),
    network: name('network', ['embedded', 'vgg19'], 'embedded'),
    content: name('content', namesOf(contentExamples), contentExamples[0].name),
    style: name('style', namesOf(styleExamples), styleExamples[0].name),
  };
  const known = [...Object.keys(link)];
  for (const key of new Set(given.keys()))
    if (!known.includes(key))
      problems.push(`The link has “${key.slice(0, 40)}”, which this page does not know.`);
  return { link, problems };
}

const namesOf = (examples: readonly { readonly name: ExampleName }[]) => examples.map(({ name }) => name);

/** A number for people: at most three digits, or a power of ten. */
export function short(value: number): string {
  if (value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1e5))
    return String(Number(value.toPrecision(3)));
  return value
    .toExponential(2)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e');
}
