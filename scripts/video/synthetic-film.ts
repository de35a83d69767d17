import { Random } from '../../src/random';

/** Colours of a picture, RGB in [0,1], row by row. */
export interface Picture {
  readonly rgb: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A round piece of a picture that moves over the background at a constant velocity. */
export interface MovingDisc {
  readonly picture: Picture;
  readonly radius: number;
  /** Its centre in the first frame, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Pixels a frame, to the right and down. */
  readonly across: number;
  readonly down: number;
}

/** What {@link drawFilm} draws. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Larger than the frame by what the camera moves. */
  readonly background: Picture;
  /** Movement of the camera, in pixels a frame. */
  readonly camera?: readonly [across: number, down: number] | undefined;
  readonly discs: readonly MovingDisc[];
  /** Standard deviation of each colour's noise, anew in each frame. */
  readonly noise?: number | undefined;
  readonly seed?: number | undefined;
}

/** A frame with what is known of it. */
export interface DrawnFrame {
  /** [height][width][3] in [0,1]. */
  readonly rgb: Float32Array;
  /** For each pixel its displacement to where it was in the frame before, [height][width][2]. */
  readonly backward: Float32Array;
  /** 1 for each pixel that the frame before shows too, [height][width]. */
  readonly seenBefore: Uint8Array;
  /** 1 for each pixel of a disc, [height][width]. */
  readonly moving: Uint8Array;
}

/** Draws a film whose motion is known: discs that move over a background, seen by a camera that may move too. */
export function drawFilm(scene: Scene): DrawnFrame[] {
  const { width, height, frames, background, camera: [panX, panY] = [0, 0], discs, noise = 0 } = scene;
  const random = new Random(scene.seed ?? 1);
  /** What is seen at a point of a frame: a disc, or -1 for the background. */
  const seenAt = (x: number, y: number, t: number) =>
    discs.findLastIndex(
      (disc) => (x - disc.x - disc.across * t) ** 2 + (y - disc.y - disc.down * t) ** 2 < disc.radius ** 2,
    );
  const velocityOf = (index: number) =>
    index < 0 ? [-panX, -panY] : [discs[index].across, discs[index].down];
  return Array.from({ length: frames }, (_, t) => {
    const rgb = new Float32Array(3 * width * height);
    const backward = new Float32Array(2 * width * height);
    const [seenBefore, moving] = [new Uint8Array(width * height), new Uint8Array(width * height)];
    for (let y = 0, k = 0; y < height; y++)
      for (let x = 0; x < width; x++, k++) {
        const index = seenAt(x, y, t);
        const [across, down] = velocityOf(index);
        const [fromX, fromY] = [x - across, y - down];
        const inside = fromX >= 0 && fromY >= 0 && fromX <= width - 1 && fromY <= height - 1;
        seenBefore[k] = Number(t > 0 && inside && seenAt(fromX, fromY, t - 1) === index);
        moving[k] = Number(index >= 0);
        backward.set([-across, -down], 2 * k);
        // A surface keeps the coordinates that it has in the first frame.
        const picture = index < 0 ? background : discs[index].picture;
        const [left, top] = index < 0 ? [width / 2, height / 2] : [discs[index].x, discs[index].y];
        for (let c = 0; c < 3; c++)
          rgb[3 * k + c] = sample(picture, x - across * t - left, y - down * t - top, c);
      }
    if (noise > 0)
      for (let i = 0; i < rgb.length; i++)
        rgb[i] = Math.min(1, Math.max(0, rgb[i] + noise * random.normal()));
    return { rgb, backward, seenBefore, moving };
  });
}

/** A colour between pixels, bilinear; pictures repeat. The point [0, 0] is the middle of the picture. */
function sample({ rgb, width, height }: Picture, x: number, y: number, c: number): number {
  const [px, py] = [x + width / 2, y + height / 2];
  const [x0, y0] = [Math.floor(px), Math.floor(py)];
  const at = (column: number, row: number) => rgb[3 * (mod(row, height) * width + mod(column, width)) + c];
  const [fx, fy] = [px - x0, py - y0];
  const upper = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
  const lower = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

const mod = (value: number, length: number) => ((value % length) + length) % length;
