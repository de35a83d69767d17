import type { RgbPixels } from '../../../image/pixel-array';
import { resize } from '../../../image/resize';

/** Red, green, blue in [0,1]. */
export type Colour = readonly number[];

/** A place on a canvas, in its pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A square to draw on, opaque and without anti-aliasing: drawn at twice the size, {@link halved} makes edges smooth.
 */
export class Canvas {
  readonly pixels: Float32Array;

  constructor(readonly side: number) {
    this.pixels = new Float32Array(side * side * 3);
  }

  /** Gives every pixel a colour. */
  fill(colourAt: (x: number, y: number) => Colour): void {
    for (let y = 0; y < this.side; y++) {
      for (let x = 0; x < this.side; x++) this.set(x, y, colourAt(x, y));
    }
  }

  /** The colour under a place. */
  at({ x, y }: Point): Colour {
    const limit = this.side - 1;
    const start = 3 * (clamp(Math.floor(y), limit) * this.side + clamp(Math.floor(x), limit));
    return [this.pixels[start], this.pixels[start + 1], this.pixels[start + 2]];
  }

  /** A line through points, with round joints and ends. */
  stroke(path: readonly Point[], width: number, colour: Colour): void {
    const radius = width / 2;
    for (let i = 1; i < path.length; i++) {
      const [a, b] = [path[i - 1], path[i]];
      const [dx, dy] = [b.x - a.x, b.y - a.y];
      const squaredLength = Math.max(dx * dx + dy * dy, 1e-12);
      this.fillWhere([a, b], radius, colour, (x, y) => {
        const along = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / squaredLength));
        return (x - a.x - along * dx) ** 2 + (y - a.y - along * dy) ** 2 <= radius * radius;
      });
    }
  }

  ellipse({ x: cx, y: cy }: Point, width: number, height: number, colour: Colour): void {
    const inside = (x: number, y: number) =>
      (2 * (x - cx)) ** 2 / width ** 2 + (2 * (y - cy)) ** 2 / height ** 2 <= 1;
    this.fillWhere([{ x: cx, y: cy }], Math.max(width, height) / 2, colour, inside);
  }

  /** The inside of a closed line, by the even-odd rule. */
  polygon(corners: readonly Point[], colour: Colour): void {
    this.fillWhere(corners, 0, colour, (x, y) => {
      let inside = false;
      let a = corners[corners.length - 1];
      for (const b of corners) {
        if (a.y > y !== b.y > y && x < a.x + ((b.x - a.x) * (y - a.y)) / (b.y - a.y)) inside = !inside;
        a = b;
      }
      return inside;
    });
  }

  /** The picture at half the size, by Lanczos resampling. */
  halved(): RgbPixels {
    const { side, pixels } = this;
    return resize({ data: pixels, width: side, height: side }, side / 2, side / 2);
  }

  /** Colours the pixels whose centres are `inside`, looking no further than `margin` from the points. */
  private fillWhere(
    points: readonly Point[],
    margin: number,
    colour: Colour,
    inside: (x: number, y: number) => boolean,
  ): void {
    const limit = this.side - 1;
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    const [left, right] = [
      clamp(Math.floor(Math.min(...xs) - margin), limit),
      clamp(Math.ceil(Math.max(...xs) + margin), limit),
    ];
    const [top, bottom] = [
      clamp(Math.floor(Math.min(...ys) - margin), limit),
      clamp(Math.ceil(Math.max(...ys) + margin), limit),
    ];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) if (inside(x + 0.5, y + 0.5)) this.set(x, y, colour);
    }
  }

  private set(x: number, y: number, colour: Colour): void {
    const start = 3 * (y * this.side + x);
    for (let c = 0; c < 3; c++) this.pixels[start + c] = Math.min(1, Math.max(0, colour[c]));
  }
}

const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(0, value));
