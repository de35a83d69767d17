import { type Colour, clamp, mix, mixColours, noise, randomFrom } from './noise.ts';

/**
 * A painting to be made: what it shows, how strokes run, and the brushes, coarse to fine. Coordinates are 0 to 1, y
 * downwards.
 */
export interface Painting {
  readonly seed: number;
  readonly ground: Colour;
  colour(x: number, y: number): Colour;
  /** Direction of the strokes, in radians. */
  angle(x: number, y: number): number;
  readonly brushes: readonly Brush[];
}

/** One layer of strokes. Lengths are parts of the picture's width. */
export interface Brush {
  readonly width: number;
  readonly length: number;
  /** Strokes laid over each place, on average. */
  readonly cover: number;
  /** How much strokes differ in lightness and in hue. */
  readonly jitter: number;
  /** Height of the paint, for the light on it. */
  readonly body: number;
  /** Where this brush is used at all, 0 to 1. @default everywhere */
  where?(x: number, y: number): number;
}

/**
 * Paints stroke by stroke, each stroke bristle by bristle, and lights the relief of the paint from the upper left.
 * @returns 8-bit RGB
 */
export function paint(painting: Painting, size: number): Uint8Array {
  const canvas = new Canvas(size, painting.ground);
  const random = randomFrom(painting.seed);
  for (const brush of painting.brushes) {
    const count = Math.round(brush.cover / (brush.width * brush.length));
    for (let i = 0; i < count; i++) {
      const [x, y] = [random() * 1.1 - 0.05, random() * 1.1 - 0.05];
      if (brush.where && random() >= brush.where(x, y)) continue;
      stroke(canvas, painting, brush, x, y, random);
    }
  }
  return canvas.lit();
}

function stroke(
  canvas: Canvas,
  painting: Painting,
  brush: Brush,
  x: number,
  y: number,
  random: () => number,
): void {
  const { size } = canvas;
  const path = followed(painting, x, y, brush.length * (0.6 + 0.8 * random()));
  const lightness = (random() - 0.5) * brush.jitter;
  const tint = [random(), random(), random()].map((value) => (value - 0.5) * brush.jitter * 0.7);
  const base = painting
    .colour(clamp(x), clamp(y))
    .map((value, c) => value * (1 + lightness) + lightness * 0.12 + tint[c]) as unknown as Colour;
  const width = brush.width * size * (0.7 + 0.6 * random());
  const bristles = Math.max(3, Math.round(width * 1.1));
  for (let b = 0; b < bristles; b++) {
    const across = (b + 0.5) / bristles - 0.5 + (random() - 0.5) * 0.06;
    const shade = (random() - 0.5) * 0.13;
    const load = 1 - (2 * Math.abs(across)) ** 4;
    const from = random() * 0.12 + 0.1 * (1 - load);
    const to = 1 - random() * 0.18 - 0.12 * (1 - load);
    const colour = base.map((value) => clamp(value + shade)) as unknown as Colour;
    const height =
      brush.body * (0.55 + 0.45 * random()) * load + brush.body * 0.35 * (Math.abs(across) > 0.4 ? 1 : 0);
    const dryness = random() * 40;
    for (let i = Math.floor(from * path.length); i < to * path.length; i++) {
      const { x: px, y: py, dx, dy } = path[i];
      const along = i / path.length;
      // Paint runs out towards the end: the brush leaves gaps.
      const covered = clamp(1.5 - along * 0.9 + (noise(dryness + i * 0.09, b * 0.7) - 0.5) * 1.3);
      const taper = Math.sqrt(clamp(Math.min(along * 9, (1 - along) * 5)));
      const offset = across * width * (0.45 + 0.55 * taper);
      canvas.dab(px * size - dy * offset, py * size + dx * offset, colour, covered * 0.85, height * covered);
    }
  }
}

/** Points a pixel apart along the direction field, through a place, both ways. */
function followed(painting: Painting, x: number, y: number, length: number) {
  const step = 0.9 / 1024;
  const half = Math.max(3, Math.round(length / step / 2));
  const walk = (sign: number) => {
    let [px, py] = [x, y];
    return Array.from({ length: half }, () => {
      const angle = painting.angle(px, py);
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
      px += sign * dx * step;
      py += sign * dy * step;
      return { x: px, y: py, dx, dy };
    });
  };
  return [...walk(-1).reverse(), ...walk(1)];
}

/** Wet paint: colours, and how high it stands. */
class Canvas {
  private readonly colours: Float32Array;
  private readonly heights: Float32Array;

  constructor(
    readonly size: number,
    ground: Colour,
  ) {
    this.colours = Float32Array.from({ length: size * size * 3 }, (_, i) => ground[i % 3]);
    this.heights = Float32Array.from({ length: size * size }, (_, i) =>
      weave(i % size, Math.floor(i / size)),
    );
  }

  /** A touch of one bristle, a pixel and a half wide. */
  dab(x: number, y: number, colour: Colour, opacity: number, height: number): void {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    for (let j = top; j < top + 2; j++) {
      for (let i = left; i < left + 2; i++) {
        if (i < 0 || j < 0 || i >= this.size || j >= this.size) continue;
        const near = (1 - Math.abs(i + 0.5 - x) * 0.75) * (1 - Math.abs(j + 0.5 - y) * 0.75);
        const weight = clamp(opacity * near);
        const at = j * this.size + i;
        for (let c = 0; c < 3; c++)
          this.colours[at * 3 + c] = mix(this.colours[at * 3 + c], colour[c], weight);
        this.heights[at] = mix(this.heights[at], this.heights[at] * 0.45 + height, weight * 0.6);
      }
    }
  }

  lit(): Uint8Array {
    const { size, colours, heights } = this;
    const height = (x: number, y: number) => heights[clamp(y, 0, size - 1) * size + clamp(x, 0, size - 1)];
    const pixels = new Uint8Array(size * size * 3);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const slopeX = height(x + 1, y) - height(x - 1, y);
        const slopeY = height(x, y + 1) - height(x, y - 1);
        const tilt = clamp((slopeX + slopeY) * 0.5, -0.5, 0.5);
        const shine = Math.max(0, tilt - 0.09) * 0.55;
        const at = (y * size + x) * 3;
        for (let c = 0; c < 3; c++) {
          const value = colours[at + c] * (1 + 0.75 * tilt) + shine;
          pixels[at + c] = Math.round(clamp(value) * 255);
        }
      }
    }
    return pixels;
  }
}

/** The threads of the canvas under the paint. */
const weave = (x: number, y: number) =>
  0.05 * (Math.sin(x * 1.1) * Math.sin(y * 1.1) + noise(x * 0.3, y * 0.3));

/** A palette as a function of [0,1]. */
export function ramp(stops: readonly Colour[]): (t: number) => Colour {
  return (t) => {
    const at = clamp(t) * (stops.length - 1);
    const i = Math.min(stops.length - 2, Math.floor(at));
    return mixColours(stops[i], stops[i + 1], at - i);
  };
}
