import type { Random } from '../../../random';
import type { Colour } from './canvas';

/** Colours around one or two hues, from dark to light. */
export function palette(random: Random, colours: number): Colour[] {
  const first = random.uniform();
  const second = first + random.pick([0.08, 0.15, 0.33, 0.5]);
  const saturation = random.uniform(0.1, 0.9);
  return Array.from({ length: colours }, () => {
    const hue = (random.chance(0.6) ? first : second) + random.normal(0, 0.04);
    const value = (2 * random.uniform() + random.uniform()) / 3;
    return hsv(hue, Math.min(1, Math.max(0, saturation + random.normal(0, 0.2))), value);
  });
}

/** The colours from dark to light. */
export function byLightness(colours: readonly Colour[]): Colour[] {
  const lightness = ([r, g, b]: Colour) => r + g + b;
  return colours.toSorted((a, b) => lightness(a) - lightness(b));
}

/** A colour near another: lighter or darker, and each channel a little for itself. */
export function jittered(random: Random, colour: Colour, amount: number): Colour {
  const lightness = random.normal(0, amount);
  return colour.map((value) => value + lightness + random.normal(0, amount / 2));
}

/** Hue in turns. Smith 1978. */
function hsv(hue: number, saturation: number, value: number): Colour {
  return [5, 3, 1].map((shift) => {
    const k = (((shift + 6 * hue) % 6) + 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  });
}
