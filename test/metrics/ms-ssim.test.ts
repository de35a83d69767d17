import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { msssim as independentMsSsim } from '@blazediff/ssim/msssim';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PixelArray } from '../../src/image/pixel-array';
import { msSsim, ssim } from '../../src/metrics';
import { noisePixels, pixelsOf } from '../support/pixels';
import { referenceImage } from '../support/reference-image';

/**
 * Plain double-precision loops, written from Wang, Simoncelli & Bovik 2003 and the authors' MATLAB program msssim.m.
 */
function byLoops(a: PixelArray, b: PixelArray, scales: number): number {
  const weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333].slice(0, scales);
  const total = weights.reduce((sum, w) => sum + w, 0);
  let [x, y] = [greyRows(a), greyRows(b)];
  let product = 1;
  for (let scale = 0; scale < scales; scale++) {
    const { similarity, contrastStructure } = meansByLoops(x, y);
    const mean = scale === scales - 1 ? similarity : contrastStructure;
    product *= Math.max(0, mean) ** (weights[scale] / total);
    [x, y] = [halfByLoops(x), halfByLoops(y)];
  }
  return product;
}

const greyRows = ({ data, width, height }: PixelArray): number[][] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => data[(y * width + x) * 3] / 255),
  );

function meansByLoops(a: number[][], b: number[][]): { similarity: number; contrastStructure: number } {
  const [height, width] = [a.length, a[0].length];
  const bell = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / 4.5));
  const norm = bell.reduce((sum, v) => sum + v, 0) ** 2;
  let [similarity, contrastStructure, count] = [0, 0, 0];
  for (let top = 0; top + 11 <= height; top++) {
    for (let left = 0; left + 11 <= width; left++) {
      const mean = (value: (i: number, j: number) => number) => {
        let sum = 0;
        for (let i = 0; i < 11; i++)
          for (let j = 0; j < 11; j++) sum += bell[i] * bell[j] * value(top + i, left + j);
        return sum / norm;
      };
      const [muA, muB] = [mean((i, j) => a[i][j]), mean((i, j) => b[i][j])];
      const varA = mean((i, j) => (a[i][j] - muA) ** 2);
      const varB = mean((i, j) => (b[i][j] - muB) ** 2);
      const covariance = mean((i, j) => (a[i][j] - muA) * (b[i][j] - muB));
      const cs = (2 * covariance + 9e-4) / (varA + varB + 9e-4);
      similarity += (cs * (2 * muA * muB + 1e-4)) / (muA ** 2 + muB ** 2 + 1e-4);
      contrastStructure += cs;
      count++;
    }
  }
  return { similarity: similarity / count, contrastStructure: contrastStructure / count };
}

/** Mean of 2x2 pixels, the border mirrored (a row or column beyond it equals the last), every second one kept. */
function halfByLoops(a: number[][]): number[][] {
  const at = (y: number, x: number) => a[Math.min(y, a.length - 1)][Math.min(x, a[0].length - 1)];
  return Array.from({ length: Math.ceil(a.length / 2) }, (_, y) =>
    Array.from({ length: Math.ceil(a[0].length / 2) }, (_, x) => {
      return (at(2 * y, 2 * x) + at(2 * y, 2 * x + 1) + at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1)) / 4;
    }),
  );
}

const grey = ({ data, width, height }: PixelArray) =>
  pixelsOf(width, height, (x, y) => data[(y * width + x) * 3 + 1]);

describe.each(['cpu', 'wasm'])('msSsim on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it('agrees with plain loops in double precision', async () => {
    const [content, image] = [
      grey(await referenceImage('content-96x64.png')),
      grey(await referenceImage('image-96x64.png')),
    ];
    for (const scales of [1, 2, 3]) {
      expect(await msSsim(content, image, { scales })).toBeCloseTo(byLoops(content, image, scales), 5);
    }
  });

  it('agrees with plain loops where sides are odd', async () => {
    const a = pixelsOf(45, 43, (x, y) => 127 + 100 * Math.sin(x / 3 + y / 5));
    const b = pixelsOf(45, 43, (x, y) => 127 + 90 * Math.sin(x / 3 + y / 4));
    expect(await msSsim(a, b, { scales: 3 })).toBeCloseTo(byLoops(a, b, 3), 5);
  });
});

describe('msSsim', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('agrees with @blazediff/ssim up to the border, which that package mirrors instead of leaving it out', async () => {
    const side = 352;
    const a = pixelsOf(
      side,
      side,
      (x, y) => 127 + 60 * Math.sin(x / 7) * Math.cos(y / 9) + 40 * Math.sin((x + y) / 3),
    );
    const noise = noisePixels(side, side, 1);
    for (const strength of [0.1, 0.3]) {
      const b = { ...a, data: a.data.map((v, i) => v * (1 - strength) + strength * noise.data[i - (i % 3)]) };
      const rgba = (image: PixelArray) =>
        Uint8Array.from({ length: side * side * 4 }, (_, i) =>
          i % 4 === 3 ? 255 : image.data[Math.floor(i / 4) * 3 + (i % 4)],
        );
      const independent = independentMsSsim(rgba(a), rgba(b), undefined, side, side);
      expect(Math.abs((await msSsim(a, b)) - independent)).toBeLessThan(0.001);
    }
  });

  it('of one scale is ssim', async () => {
    const [a, b] = [noisePixels(30, 20, 1), noisePixels(30, 20, 1)];
    b.data.fill(0, 300, 600);
    expect(await msSsim(a, b, { scales: 1 })).toBeCloseTo(await ssim(a, b), 6);
  });

  it('counts a negative mean as 0', async () => {
    const image = noisePixels(30, 30, 3);
    const negative = { ...image, data: image.data.map((level) => 255 - level) };
    expect(await msSsim(image, negative, { scales: 2 })).toBe(0);
  });

  it('says how many scales an image has room for', async () => {
    const image = noisePixels(96, 64, 1);
    await expect(msSsim(image, image)).rejects.toThrow(
      /96x64 pixels are too few for 5 scales; accepted: scales of at most 3/,
    );
    await expect(msSsim(image, image, { scales: 6 })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'scales',
    });
  });

  it.each([
    [161, 5],
    [81, 4],
    [41, 3],
    [21, 2],
    [11, 1],
  ])('of an image of %i pixels has %i scales', async (side, scales) => {
    const image = noisePixels(side, side, 1);
    expect(await msSsim(image, image, { scales })).toBeCloseTo(1, 5);
    const smaller = noisePixels(side - 1, side, 1);
    await expect(msSsim(smaller, smaller, { scales })).rejects.toMatchObject({ code: 'TOO_SMALL' });
  });
});
