import type { RgbPixels } from '../../../image/pixel-array';
import { resize } from '../../../image/resize';

/** Red, green, blue in [0,1]. */
export type Colour = readonly number[];

/** What an area is filled with: one colour, or one of each place. */
export type Paint = Colour | ((x: number, y: number) => Colour);

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
  fill(paint: Paint): void {
    for (let y = 0; y < this.side; y++) {
      for (let x = 0; x < this.side; x++) this.set(x, y, paint);
    }
  }

  /** The colour under a place. */
  at({ x, y }: Point): Colour {
    const limit = this.side - 1;
    const start = 3 * (clamp(Math.floor(y), limit) * this.side + clamp(Math.floor(x), limit));
    return [this.pixels[start], this.pixels[start + 1], this.pixels[start + 2]];
  }

  /** A line through points, with round joints and ends. */
  stroke(path: readonly Point[], width: number, paint: Paint): void {
    const radius = width / 2;
    for (let i = 1; i < path.length; i++) {
      const [a, b] = [path[i - 1], path[i]];
      const [dx, dy] = [b.x - a.x, b.y - a.y];
      const squaredLength = Math.max(dx * dx + dy * dy, 1e-12);
      this.fillWhere([a, b], radius, paint, (x, y) => {
        const along = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / squaredLength));
        return (x - a.x - along * dx) ** 2 + (y - a.y - along * dy) ** 2 <= radius * radius;
      });
    }
  }

  ellipse({ x: cx, y: cy }: Point, width: number, height: number, paint: Paint): void {
    const inside = (x: number, y: number) =>
      (2 * (x - cx)) ** 2 / width ** 2 + (2 * (y - cy)) ** 2 / height ** 2 <= 1;
    this.fillWhere([{ x: cx, y: cy }], Math.max(width, height) / 2, paint, inside);
  }

  /** The inside of a closed line, by the even-odd rule. */
  polygon(corners: readonly Point[], paint: Paint): void {
    const edges = corners.map((corner, i) => [corners.at(i - 1) as Point, corner] as const);
    const [top, bottom] = this.between(corners.map(({ y }) => y));
    for (let y = top; y <= bottom; y++) {
      const middle = y + 0.5;
      const crossings = edges
        .filter(([a, b]) => a.y > middle !== b.y > middle)
        .map(([a, b]) => a.x + ((b.x - a.x) * (middle - a.y)) / (b.y - a.y))
        .sort((a, b) => a - b);
      for (let i = 0; i < crossings.length; i += 2) {
        const end = Math.min(this.side, Math.ceil(crossings[i + 1] - 0.5));
        for (let x = Math.max(0, Math.ceil(crossings[i] - 0.5)); x < end; x++) this.set(x, y, paint);
      }
    }
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
    paint: Paint,
    inside: (x: number, y: number) => boolean,
  ): void {
    const [left, right] = this.between(
      points.map(({ x }) => x),
      margin,
    );
    const [top, bottom] = this.between(
      points.map(({ y }) => y),
      margin,
    );
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) if (inside(x + 0.5, y + 0.5)) this.set(x, y, paint);
    }
  }

  /** The first and the last pixel of a row or column that positions and a margin around them reach. */
  private between(positions: readonly number[], margin = 0): readonly [number, number] {
    const limit = this.side - 1;
    return [
      clamp(Math.floor(Math.min(...positions) - margin), limit),
      clamp(Math.ceil(Math.max(...positions) + margin), limit),
    ];
  }

  private set(x: number, y: number, paint: Paint): void {
    const colour = typeof paint === 'function' ? paint(x, y) : paint;
    const start = 3 * (y * this.side + x);
    for (let c = 0; c < 3; c++) this.pixels[start + c] = Math.min(1, Math.max(0, colour[c]));
  }
}

const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(0, value));
