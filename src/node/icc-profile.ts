/** Converts pixels from the colours of a profile to sRGB; alpha stays. */
export type ToSrgb = (pixels: Uint16Array, channels: number) => Float32Array;

/**
 * How to treat a profile: by our conversion, `'table'`: by sharp's, or `'none'`: it does not fit the picture, whose
 * colours count as sRGB.
 */
export type ProfileUse = ToSrgb | 'table' | 'none';

/**
 * Chooses the conversion for the ICC profile of a 16-bit picture. Profiles of three primaries and tone curves, or of
 * one grey curve (ICC.1:2001-04, 6.3.2 and 6.3.1), are computed here, because sharp's lcms2 interpolates them in a
 * coarse table for 16-bit numbers, with errors of up to 2.5 levels of 255. Profiles that are tables themselves are left
 * to lcms2.
 *
 * @param colours channels without alpha: 1 or 3
 */
export function profileUse(icc: Uint8Array, colours: 1 | 3): ProfileUse {
  const tags = tagsOf(icc);
  if (tags === undefined) return 'none';
  const space = textAt(icc, 16);
  if (space !== (colours === 1 ? 'GRAY' : 'RGB ')) return 'none';
  // A table takes precedence over primaries where a profile has both (ICC.1:2001-04, 6.3).
  if (tags.has('A2B0') || textAt(icc, 20) !== 'XYZ ') return 'table';
  const curves = (colours === 1 ? ['kTRC'] : ['rTRC', 'gTRC', 'bTRC']).map((name) => curveOf(tags.get(name)));
  const primaries = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => xyzOf(tags.get(name)));
  if (!curves.every(isDefined)) return 'table';
  if (colours === 1) return converter(curves, undefined);
  return primaries.every(isDefined) ? converter(curves, toLinearSrgb(primaries)) : 'table';
}

type Curve = (x: number) => number;

const isDefined = <T>(value: T | undefined): value is T => value !== undefined;

/**
 * Linear sRGB from XYZ at the profile connection space's white, D50: the inverse of the primaries that profiles of sRGB
 * (IEC 61966-2-1) hold, 0.4360657 0.2224884 0.0139160, 0.3851471 0.7168732 0.0970764, 0.1430664 0.0606079 0.7140961.
 */
const xyzToSrgb = [
  [3.1341118, -1.6173923, -0.4906333],
  [-0.9787871, 1.9162794, 0.0334547],
  [0.0719831, -0.2289858, 1.4053851],
];

/** The matrix from a profile's linear colours to linear sRGB. @param primaries XYZ of red, green and blue */
function toLinearSrgb(primaries: readonly (readonly number[])[]): number[][] {
  return xyzToSrgb.map((row) => primaries.map((xyz) => row.reduce((sum, x, i) => sum + x * xyz[i], 0)));
}

function converter(curves: readonly Curve[], matrix: number[][] | undefined): ToSrgb {
  const linear = curves.map((curve) =>
    Float64Array.from({ length: 65536 }, (_, level) => curve(level / 65535)),
  );
  return (pixels, channels) => {
    const result = new Float32Array(pixels.length);
    const alpha = channels % 2 === 0;
    for (let at = 0; at < pixels.length; at += channels) {
      if (alpha) result[at + channels - 1] = pixels[at + channels - 1] / 65535;
      if (matrix === undefined) {
        result[at] = encode(linear[0][pixels[at]]);
        continue;
      }
      const r = linear[0][pixels[at]];
      const g = linear[1][pixels[at + 1]];
      const b = linear[2][pixels[at + 2]];
      for (let c = 0; c < 3; c++)
        result[at + c] = encode(matrix[c][0] * r + matrix[c][1] * g + matrix[c][2] * b);
    }
    return result;
  };
}

/** sRGB's tone curve (IEC 61966-2-1), clipped to [0,1]. */
function encode(linear: number): number {
  if (linear <= 0) return 0;
  if (linear >= 1) return 1;
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** The profile's tags by name; undefined if it is not an ICC profile or is truncated. */
function tagsOf(icc: Uint8Array): Map<string, DataView> | undefined {
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength);
  if (icc.length < 132 || textAt(icc, 36) !== 'acsp') return undefined;
  const count = view.getUint32(128);
  if (132 + count * 12 > icc.length) return undefined;
  const tags = new Map<string, DataView>();
  for (let at = 132; at < 132 + count * 12; at += 12) {
    const [offset, length] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (offset + length > icc.length) return undefined;
    tags.set(textAt(icc, at), new DataView(icc.buffer, icc.byteOffset + offset, length));
  }
  return tags;
}

const textAt = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
const typeOf = (tag: DataView) =>
  tag.byteLength < 12 ? '' : textAt(new Uint8Array(tag.buffer, tag.byteOffset), 0);

/** An XYZType (6.5.26): three numbers of 16.16 bits. */
function xyzOf(tag: DataView | undefined): number[] | undefined {
  if (tag === undefined || typeOf(tag) !== 'XYZ ' || tag.byteLength < 20) return undefined;
  return [8, 12, 16].map((at) => tag.getInt32(at) / 65536);
}

/** A curveType (6.5.3) or parametricCurveType (ICC.1:2004-10, 10.15). */
function curveOf(tag: DataView | undefined): Curve | undefined {
  if (tag === undefined) return undefined;
  if (typeOf(tag) === 'para') return parametricCurve(tag);
  if (typeOf(tag) !== 'curv') return undefined;
  const count = tag.getUint32(8);
  if (count === 0) return (x) => x;
  if (12 + 2 * count > tag.byteLength) return undefined;
  if (count === 1) {
    const gamma = tag.getUint16(12) / 256;
    return (x) => x ** gamma;
  }
  const levels = Float64Array.from({ length: count }, (_, i) => tag.getUint16(12 + 2 * i) / 65535);
  return (x) => {
    const position = x * (count - 1);
    const i = Math.min(Math.floor(position), count - 2);
    return levels[i] + (position - i) * (levels[i + 1] - levels[i]);
  };
}

/** Parameters of the five kinds of parametricCurveType, in the order of the standard: g a b c d e f. */
const parameterCounts = [1, 3, 4, 5, 7];

function parametricCurve(tag: DataView): Curve | undefined {
  const kind = tag.getUint16(8);
  const count = parameterCounts[kind];
  if (count === undefined || 12 + 4 * count > tag.byteLength) return undefined;
  const [g, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from(
    { length: count },
    (_, i) => tag.getInt32(12 + 4 * i) / 65536,
  );
  const power = (x: number) => Math.max(0, a * x + b) ** g;
  if (kind === 0) return (x) => x ** g;
  if (kind < 3) return (x) => (x >= -b / a ? power(x) : 0) + (kind === 2 ? c : 0);
  return (x) => (x >= d ? power(x) + e : c * x + f);
}
