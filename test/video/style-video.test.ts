import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { drawFilm } from '../../scripts/video/synthetic-film';
import { Random } from '../../src/random';
import { styleTransfer } from '../../src/transfer/style-transfer';
import { type StyledFrame, type StyleVideoOptions, styleVideo, type VideoProgress } from '../../src/video';
import { noise } from '../support/images';

beforeAll(async () => void (await tf.setBackend('cpu')));

const [width, height] = [24, 18];
const quick = { weights: 'embedded', iterations: 6, threads: 1 } as const;

/** A film of blotches that the camera moves over, a pixel a frame. */
function someFilm(frames: number): tf.Tensor3D[] {
  const random = new Random(3);
  const size = 40;
  const blotches = Float32Array.from({ length: 3 * size * size }, () => random.uniform(0.1, 0.9));
  const background = { rgb: blotches, width: size, height: size };
  const film = drawFilm({ width, height, frames, background, camera: [1, 0], discs: [] });
  return film.map(({ rgb }) => tf.tensor3d(rgb, [height, width, 3]));
}

async function paintAll(
  frames: readonly tf.Tensor3D[],
  options: StyleVideoOptions<tf.Tensor3D> = {},
): Promise<StyledFrame[]> {
  const style = noise(20, 20, 9);
  const painted: StyledFrame[] = [];
  for await (const frame of styleVideo(frames, style, { ...quick, ...options })) painted.push(frame);
  style.dispose();
  return painted;
}

const pixels = (frames: readonly StyledFrame[]) => frames.map(({ image }) => [...image.dataSync()]);

describe('styleVideo', () => {
  it('paints the first frame as styleTransfer does, and later ones in fewer steps with a temporal term', async () => {
    const frames = someFilm(3);
    const before = tf.memory().numTensors;
    const painted = await paintAll(frames);
    const style = noise(20, 20, 9);
    const alone = await styleTransfer(frames[0], style, quick);
    style.dispose();
    const inBytes = [...alone.image.dataSync()].map((value) => Math.fround(Math.round(value * 255) / 255));
    expect(pixels(painted)[0]).toEqual(inBytes);
    alone.dispose();
    expect(painted.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(painted.map(({ iterations }) => iterations)).toEqual([6, 2, 2]);
    expect(painted.map(({ terms }) => 'temporal' in terms)).toEqual([false, true, true]);
    expect(painted.map(({ firstLoss }) => firstLoss)).toEqual(Array(3).fill(painted[0].loss));
    expect(painted[0].reliable).toBeUndefined();
    expect(painted[1].reliable).toBeGreaterThan(0.3);
    for (const frame of painted) {
      frame.dispose();
      frame.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('goes on after a painted frame as if it had not stopped, to the bit', async () => {
    const frames = someFilm(4);
    const whole = await paintAll(frames);
    const again = await paintAll(frames.slice(2), { after: whole[1] });
    expect(again.map(({ index }) => index)).toEqual([2, 3]);
    expect(pixels(again)).toEqual(pixels(whole.slice(2)));
  });

  it("starts from the previous result as it is with flow 'none', and from the moved one without temporal loss", async () => {
    const frames = someFilm(2);
    for (const options of [{ flow: 'none' }, { temporal: 0 }] as const) {
      const [, second] = await paintAll(frames, options);
      expect(Object.keys(second.terms)).not.toContain('temporal');
      expect(second.reliable).toBeUndefined();
    }
  });

  it('holds frames the closer to the moved previous one, the heavier the temporal loss', async () => {
    const frames = someFilm(2);
    const differences: number[] = [];
    for (const temporal of [0.01, 1, 100]) {
      const [first, second] = await paintAll(frames, { temporal, frameIterations: 12 });
      const weight = (temporal * first.loss) / 0.01;
      differences.push(second.terms.temporal / weight);
    }
    expect(differences[0]).toBeGreaterThan(2 * differences[1]);
    expect(differences[1]).toBeGreaterThan(2 * differences[2]);
  });

  it.each([
    ["color: 'content', in grey", { color: 'content' }],
    ["balance: 'initial'", { balance: 'initial' }],
    ['a preset of another statistic', { preset: 'li2021', layerWeights: { conv1_1: 2 } }],
    [
      'a loss made for each frame',
      { loss: async () => (await import('../../src/losses')).totalVariationLoss() },
    ],
  ] as const)('works with %s', async (_, options) => {
    const painted = await paintAll(someFilm(2), options as StyleVideoOptions<tf.Tensor3D>);
    expect(painted).toHaveLength(2);
    expect(painted[1].terms.temporal).toBeGreaterThanOrEqual(0);
  });

  it('takes frames from an async iterable as they are needed, and frees all when the caller stops', async () => {
    const frames = someFilm(3);
    const style = noise(20, 20, 9);
    const before = tf.memory().numTensors;
    let read = 0;
    let closed = false;
    async function* source() {
      try {
        for (const frame of frames) {
          read++;
          yield frame;
        }
      } finally {
        closed = true;
      }
    }
    for await (const frame of styleVideo(source(), style, quick)) {
      frame.dispose();
      break;
    }
    expect({ read, closed }).toEqual({ read: 1, closed: true });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('tells steps of each frame, and what all have in common once', async () => {
    const events: VideoProgress[] = [];
    await paintAll(someFilm(2), { onProgress: (event) => void events.push(event) });
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
    const steps = events.flatMap((event) =>
      event.type === 'frame' ? [[event.index, event.step.iteration]] : [],
    );
    expect(steps).toEqual([...[0, 1, 2, 3, 4, 5, 6].map((i) => [0, i]), ...[0, 1, 2].map((i) => [1, i])]);
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const before = tf.memory().numTensors;
    const frames = someFilm(2);
    const run = paintAll(frames, {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === 'frame' && event.index === 1) controller.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    // The first frame belongs to the caller; its image and the frame as it was filmed. Then the style and two frames.
    expect(tf.memory().numTensors - before).toBe(2 + 1 + 2);
  });

  it.each([
    [{ flow: 'farneback' }, "flow is 'farneback'"],
    [{ flow: 'none', temporal: 2 }, 'temporal has no effect beside flow'],
    [{ temporal: -1 }, 'temporal is -1; accepted: a finite number of at least 0.'],
    [{ frameIterations: 0 }, 'frameIterations is 0'],
    [{ iteration: 3 }, "styleVideo has no option 'iteration'; did you mean 'iterations'?"],
    [{ settings: {} }, 'settings is an object, which is no record of a run'],
    [{ after: { index: 1 } }, 'after.frame is undefined'],
    [
      { loss: { name: 'a', layers: ['image'], compute: () => tf.scalar(0) } },
      'accepted: a function that makes a loss',
    ],
    [{ size: 3 }, 'size is 3'],
  ])('refuses %j before any frame is read', async (options, message) => {
    const never = {
      [Symbol.asyncIterator]: () => {
        throw new Error('a frame was read');
      },
    } as AsyncIterable<tf.Tensor3D>;
    const run = styleVideo(never, noise(9, 9), options as StyleVideoOptions<tf.Tensor3D>).next();
    await expect(run).rejects.toThrow(message);
  });

  it('refuses frames of several sizes, and what holds no frames', async () => {
    await expect(paintAll([...someFilm(1), noise(18, 20)])).rejects.toMatchObject({
      code: 'DIFFERENT_SIZES',
      message: 'frames[1] is 20x18; accepted: 24x18, the size of the frame before.',
    });
    await expect(styleVideo('film.mp4' as never, noise(9, 9)).next()).rejects.toThrow("frames is 'film.mp4'");
  });
});
