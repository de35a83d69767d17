import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { readImage, styleTransfer } from '../../src/node/index.ts';
import { type StyleVideoOptions, styleVideo } from '../../src/video/index.ts';
import { type Flicker, flickerOf } from './flicker.ts';
import { type DrawnFrame, drawFilm, type Picture, type Scene } from './synthetic-film.ts';

const images = resolve(import.meta.dirname, '../../examples/images');
const [width, height, frames] = [112, 84, 7];
const iterations = 36;

/** A way to paint a film, measured. */
export interface Measured {
  readonly name: string;
  /** RGB in [0,1] of each frame, [height][width][3]. */
  readonly painted: readonly Float32Array[];
  readonly flicker: Flicker;
  /** Loss of style and content of the last frame. */
  readonly loss: number;
  readonly evaluations: number;
  readonly seconds: number;
}

/** A film and the ways in which it was painted. */
export interface MeasuredFilm {
  readonly scene: string;
  readonly width: number;
  readonly height: number;
  readonly film: readonly DrawnFrame[];
  /** Flicker of the film itself, by its noise. */
  readonly flicker: Flicker;
  readonly ways: readonly Measured[];
}

/** The way that paints each frame by itself. */
export const apart = 'painted by itself';
/** The way of `styleVideo` without options. */
export const together = 'with temporal loss, the default';

const ways: Readonly<Record<string, StyleVideoOptions<tf.Tensor3D> | undefined>> = {
  [apart]: undefined,
  "from the previous result as it is, `flow: 'none'`": { flow: 'none' },
  'from the moved previous result, `temporal: 0`': { temporal: 0 },
  [together]: {},
  '`temporal: 10`': { temporal: 10 },
  '`temporal: 50`': { temporal: 50 },
};

/** Paints the scenes by each of the ways. */
export async function measureFilms(): Promise<readonly MeasuredFilm[]> {
  const scenes: Readonly<Record<string, Scene['camera']>> = {
    'camera at rest': [0, 0],
    'moving camera': [1.6, 0.7],
  };
  const measured: MeasuredFilm[] = [];
  for (const [scene, camera] of Object.entries(scenes)) {
    const film = drawFilm(await sceneWith(camera));
    const found: Measured[] = [];
    for (const [name, options] of Object.entries(ways)) found.push(await paint(name, film, options));
    const rgb = film.map((frame) => frame.rgb);
    measured.push({ scene, width, height, film, flicker: flickerOf(rgb, film, width), ways: found });
  }
  return measured;
}

async function sceneWith(camera: Scene['camera']): Promise<Scene> {
  const [background, first, second] = [
    await picture('content.jpg', 160),
    await picture('content-still-life.jpg', 90),
    await picture('content-still-life.jpg', 64),
  ];
  return {
    width,
    height,
    frames,
    background,
    camera,
    discs: [
      { picture: first, radius: 19, x: 30, y: 33, across: 3.3, down: 0.9 },
      { picture: second, radius: 14, x: 88, y: 52, across: -2.4, down: 1.3 },
    ],
    // About that of a camera in daylight: two steps of 8 bits.
    noise: 2 / 255,
  };
}

async function picture(file: string, size: number): Promise<Picture> {
  const image = await readImage(`${images}/${file}`, { size });
  const [h, w] = image.shape;
  const rgb = (await image.data()) as Float32Array;
  image.dispose();
  return { rgb, width: w, height: h };
}

/** @param options of `styleVideo`; undefined paints each frame by itself */
async function paint(
  name: string,
  film: readonly DrawnFrame[],
  options: StyleVideoOptions<tf.Tensor3D> | undefined,
): Promise<Measured> {
  const style = await readImage(`${images}/style.jpg`, { size: 112 });
  const content = film.map(({ rgb }) => tf.tensor3d(rgb, [height, width, 3]));
  const painted: Float32Array[] = [];
  let [loss, evaluations, seconds] = [0, 0, 0];
  const results = options
    ? styleVideo(content, style, { iterations, ...options })
    : eachByItself(content, style);
  for await (const result of results) {
    painted.push((await result.image.data()) as Float32Array);
    loss = result.loss - (result.terms.temporal ?? 0);
    evaluations += result.evaluations;
    seconds += result.elapsedMs / 1000;
    result.dispose();
  }
  tf.dispose([style, ...content]);
  return { name, painted, flicker: flickerOf(painted, film, width), loss, evaluations, seconds };
}

async function* eachByItself(content: readonly tf.Tensor3D[], style: tf.Tensor3D) {
  for (const frame of content) yield await styleTransfer(frame, style, { iterations });
}
