import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DrawnFrame, drawFilm } from '../../scripts/video/synthetic-film';
import { expectNoLeak } from '../../src/testing';
import { flowReliability, opticalFlow } from '../../src/video';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import { smoothNoise } from '../support/smooth-noise';
import '../support/to-be-allclose';

beforeAll(async () => void (await tf.setBackend('cpu')));

const [width, height] = [96, 72];

/** The second of two frames, with both as images, and its true motion to the first. */
function twoFrames(camera: readonly [number, number], disc?: readonly [number, number]) {
  const discs = disc
    ? [{ picture: smoothNoise(64, 2), radius: 20, x: 45, y: 35, across: disc[0], down: disc[1] }]
    : [];
  const film = drawFilm({ width, height, frames: 2, background: smoothNoise(160, 1), camera, discs });
  const [before, now] = film.map(({ rgb }) => tf.tensor3d(rgb, [height, width, 3]));
  return { before, now, truth: film[1] };
}

/** Distances of a flow from the true one, over pixels that both frames show, in rising order. */
async function endpointErrors(flow: tf.Tensor3D, { backward, seenBefore }: DrawnFrame): Promise<number[]> {
  const found = await flow.data();
  const errors: number[] = [];
  for (let k = 0; k < seenBefore.length; k++)
    if (seenBefore[k] === 1)
      errors.push(Math.hypot(found[2 * k] - backward[2 * k], found[2 * k + 1] - backward[2 * k + 1]));
  return errors.sort((a, b) => a - b);
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('opticalFlow', () => {
  it.each([
    ['a part of a pixel', [0.4, -0.3]],
    ['a pixel and more', [1.7, 1.2]],
    ['a tenth of the picture', [-9.3, 6.6]],
  ] as const)('finds a camera that moves by %s to a tenth of a pixel in the median', async (_, camera) => {
    const { before, now, truth } = twoFrames(camera);
    const errors = await endpointErrors(await opticalFlow(now, before), truth);
    expect(errors.length).toBeGreaterThan(4000);
    expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.1);
    // Near the border, what the window sees leaves the picture.
    expect(mean(errors)).toBeLessThan(0.6);
  });

  it('finds an object that moves against its background, but for its edge', async () => {
    const { before, now, truth } = twoFrames([1, 0.5], [-3.2, 2.1]);
    const errors = await endpointErrors(await opticalFlow(now, before), truth);
    expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.15);
    expect(errors[Math.floor(0.9 * errors.length)]).toBeLessThan(0.2);
    expect(mean(errors)).toBeLessThan(0.12);
    // Still, where nothing moves at all.
    expect(
      mean(
        await endpointErrors(await opticalFlow(now, now), {
          ...truth,
          backward: new Float32Array(2 * width * height),
        }),
      ),
    ).toBe(0);
  });

  it('is exactly 0 on a background at rest in a noisy film, and not on what moves', async () => {
    const noise = 2 / 255;
    const disc = { picture: smoothNoise(64, 2), radius: 20, x: 45, y: 35, across: -2.4, down: 1.3 };
    const film = drawFilm({
      width,
      height,
      frames: 2,
      background: smoothNoise(160, 1),
      discs: [disc],
      noise,
    });
    const [before, now] = film.map(({ rgb }) => tf.tensor3d(rgb, [height, width, 3]));
    const found = await (await opticalFlow(now, before)).data();
    const moved = (wanted: number) =>
      [...film[1].moving].flatMap((moving, k) =>
        moving === wanted && film[1].seenBefore[k] === 1 ? [Number(found[2 * k] !== 0)] : [],
      );
    // The window sees the object up to some pixels from it.
    expect(mean(moved(0))).toBeLessThan(0.2);
    expect(mean(moved(1))).toBeGreaterThan(0.95);
  });

  it('is 0 where the picture has no structure', async () => {
    const plain = tf.fill<tf.Rank.R3>([20, 30, 3], 0.4);
    expect(await opticalFlow(plain, plain)).toBeAllclose(new Float32Array(20 * 30 * 2));
  });

  it('takes pictures of a single pixel and of a single row', async () => {
    for (const [h, w] of [
      [1, 1],
      [1, 9],
      [7, 2],
    ]) {
      const flow = await opticalFlow(noise(h, w, 1), noise(h, w, 2));
      expect(flow.shape).toEqual([h, w, 2]);
      expect((await flow.data()).every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses what is no image, and images of different sizes', async () => {
    await expect(opticalFlow(noise(4, 4), noise(4, 5))).rejects.toMatchObject({
      code: 'DIFFERENT_SIZES',
      message: 'to is 5x4; accepted: an image of 4x4, the size of from.',
    });
    await expect(opticalFlow(tf.ones([4, 4]) as never, noise(4, 4))).rejects.toMatchObject({
      code: 'NOT_AN_IMAGE',
    });
  });

  it('leaves no tensor but its result', async () => {
    const [a, b] = [noise(16, 12, 1), noise(16, 12, 2)];
    await expectNoLeak(() => opticalFlow(a, b));
  });
});

/** A flow of [across, down] everywhere, but for what `change` says. */
const flowOf = (
  [h, w]: readonly [number, number],
  at: (x: number, y: number) => readonly [number, number],
): tf.Tensor3D =>
  tf.tensor3d(Array.from({ length: h * w }, (_, k) => at(k % w, Math.floor(k / w))).flat(), [h, w, 2]);

describe('flowReliability', () => {
  onEachBackend(() => {
    it('is 1 where the way there and back returns, and 0 where it leaves the picture', () => {
      const there = flowOf([3, 5], () => [2, 0]);
      const back = flowOf([3, 5], () => [-2, 0]);
      const row = [1, 1, 1, 0, 0];
      expect(flowReliability(there, back)).toBeAllclose([...row, ...row, ...row]);
    });

    it('is 0 where the way back ends elsewhere: |w + v|^2 > 0.01 (|w|^2 + |v|^2) + 0.5', () => {
      const there = flowOf([1, 8], () => [1, 0]);
      // At x + 1: 0.7 is below sqrt(0.5 + 0.01 (1 + 0.3^2)) = 0.715, and 0.72 above sqrt(0.5 + 0.01 (1 + 0.28^2)).
      const back = flowOf([1, 8], (x) => [x === 3 ? -0.28 : -0.3, 0]);
      expect(flowReliability(there, back)).toBeAllclose([1, 1, 0, 1, 1, 1, 1, 0]);
    });

    it('is 0 at the edges of motions: |grad w|^2 > 0.01 |w|^2 + 0.002', () => {
      // Central differences: (4 - 0) / 2 on both sides of the edge between the third and the fourth column.
      const there = flowOf([2, 8], (x) => [0, x < 3 ? 0 : 4].map((v) => v / 8) as [number, number]);
      const back = flowOf([2, 8], (x) => [0, x < 3 ? 0 : -4 / 8]);
      // 0.5 down leaves the picture in the second row.
      expect(flowReliability(there, back)).toBeAllclose([1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    });

    it('leaves no tensor but its result', async () => {
      const [there, back] = [flowOf([3, 4], () => [1, 0]), flowOf([3, 4], () => [-1, 0])];
      await expectNoLeak(() => flowReliability(there, back));
    });
  });

  it('marks what an object uncovers and what comes from outside', async () => {
    const { before, now, truth } = twoFrames([0, 0], [6, 0]);
    const [backward, forward] = [await opticalFlow(now, before), await opticalFlow(before, now)];
    const reliable = await flowReliability(backward, forward).data();
    const share = (wanted: number) => {
      const found = [...reliable].filter((_, k) => truth.seenBefore[k] === wanted);
      return mean(found);
    };
    expect(share(1)).toBeGreaterThan(0.65);
    expect(share(0)).toBeLessThan(0.25);
  });

  it('refuses flows of different sizes', () => {
    const flow = flowOf([3, 4], () => [0, 0]);
    expect(() =>
      flowReliability(
        flow,
        flowOf([4, 3], () => [0, 0]),
      ),
    ).toThrow('back is a float32 tensor [4,3,2]; accepted: a float32 tensor [3, 4, 2].');
    expect(() => flowReliability(undefined as never, flow)).toThrow(/flow is undefined/);
  });
});
