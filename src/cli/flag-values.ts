import type { Option } from '../options/table';

/**
 * The value that a flag's text stands for; any other text as it is, which the table refuses.
 *
 * @param before the value so far of a flag that is given again
 */
type Reader = (text: string, before?: unknown) => unknown;

/** A {@link Reader} for each kind of option. */
export const flagValues: Readonly<Record<NonNullable<Option<unknown>['kind']>, Reader>> = {
  texts: (text, before) => [...(Array.isArray(before) ? before : []), text],
  number(text) {
    const value = Number(text);
    return text.trim() === '' || Number.isNaN(value) ? text : value;
  },
  bytes(text) {
    const [, count, unit] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
    const factor = bytesIn[unit?.toLowerCase() ?? ''];
    return count === undefined || factor === undefined ? text : Math.floor(Number(count) * factor);
  },
  numbers(text) {
    const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    return numbers.some(Number.isNaN) ? text : numbers;
  },
  // Given once for each region.
  regions: (text, before) => [...(Array.isArray(before) ? before : []), regionOf(text)],
  names: (text) => text.split(',').map((name) => name.trim()),
  scales(text) {
    if (text.trim() === '1') return 1;
    const scales = text.split(',').map((part) => /^(\d+)(?::(\d+))?$/.exec(part.trim()));
    return scales.every((found) => found !== null)
      ? scales.map(([, size, iterations]) => ({
          size: Number(size),
          ...(iterations === undefined ? {} : { iterations: Number(iterations) }),
        }))
      : text;
  },
  layerWeights(text) {
    const pairs = text.split(',').map((part) => part.split('=').map((word) => word.trim()));
    const names = new Set(pairs.map(([name]) => name));
    const fits = pairs.every((pair) => pair.length === 2) && names.size === pairs.length;
    return fits ? Object.fromEntries(pairs.map(([name, factor]) => [name, flagValues.number(factor)])) : text;
  },
  stopWhen(text) {
    const [, improvement, over] = /^([\d.]+(?:e-?\d+)?)(?::(\d+))?$/i.exec(text.trim()) ?? [];
    if (improvement === undefined || Number.isNaN(Number(improvement))) return text;
    return { improvement: Number(improvement), ...(over === undefined ? {} : { over: Number(over) }) };
  },
};

/** The region of `content-mask,style-mask,style-image,weight=2,content-weight=0`; what is empty is left out. */
function regionOf(text: string): Record<string, unknown> {
  const region: Record<string, unknown> = {};
  const places = ['content', 'style', 'styleImage'];
  for (const part of text.split(',').map((one) => one.trim())) {
    const [, name, number] = /^(weight|content-weight)=(.*)$/.exec(part) ?? [];
    if (name) region[name === 'weight' ? 'weight' : 'contentWeight'] = flagValues.number(number);
    else {
      const place = places.shift() ?? 'more';
      if (part !== '') region[place] = part;
    }
  }
  return region;
}

/** Units of memory: powers of 1000, and of 1024 with an i (IEC 80000-13). */
const bytesIn: Readonly<Partial<Record<string, number>>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};
