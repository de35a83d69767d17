import { afterEach, describe, expect, it, vi } from 'vitest';
import { drawFilm } from '../../../../scripts/video/synthetic-film';
import { computeFlows, type RgbPicture } from '../../../../src/engines/wasm/flow';
import { plainFlow } from '../../../support/plain-flow';
import { smoothNoise } from '../../../support/smooth-noise';

afterEach(() => vi.restoreAllMocks());

/** Two frames of a drawn film: a disc and a camera that move, and noise. */
function framesOf(width: number, height: number): readonly [RgbPicture, RgbPicture] {
  const [x, y] = [width / 2, height / 2];
  const disc = { picture: smoothNoise(40, 2), radius: height / 4, x, y, across: -1.7, down: 0.4 };
  const background = smoothNoise(80, 1);
  const [first, second] = drawFilm({
    width,
    height,
    frames: 2,
    background,
    camera: [1.6, 0.7],
    discs: [disc],
    noise: 2 / 255,
  });
  return [
    { rgb: second.rgb, width, height },
    { rgb: first.rgb, width, height },
  ];
}

describe('computeFlows', () => {
  // One size and several of a pyramid, rows of one block and more, with and without pixels behind the last vector.
  it.each([
    [33, 27],
    [48, 25],
    [7, 31],
    [1, 5],
    [1, 1],
  ])('gives what the same steps do in double precision, on %s x %s pixels', async (width, height) => {
    const [a, b] = framesOf(width, height);
    const found = await computeFlows(a, b, 'there and back');
    for (const [i, plain] of [plainFlow(a, b), plainFlow(b, a)].entries())
      expect(Math.max(...found[i].map((value, k) => Math.abs(value - plain[k])))).toBeLessThan(5e-5);
  });

  it('gives one way alone the same to the bit', async () => {
    const [a, b] = framesOf(33, 27);
    const [there, back] = await computeFlows(a, b, 'there and back');
    expect(await computeFlows(a, b, 'there')).toEqual([there]);
    expect(await computeFlows(b, a, 'there')).toEqual([back]);
  });

  it('says what is missing where WebAssembly has no vectors, or is forbidden', async () => {
    const [a, b] = framesOf(8, 8);
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new Error('a policy'));
    await expect(computeFlows(a, b, 'there')).rejects.toMatchObject({
      code: 'NO_WASM',
      message:
        "WebAssembly does not compile here (a policy); accepted: a policy of the page that has 'wasm-unsafe-eval', or flow: 'none'.",
    });
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    await expect(computeFlows(a, b, 'there')).rejects.toMatchObject({
      code: 'NO_SIMD',
      message: "Optical flow needs a browser with WebAssembly and SIMD, or flow: 'none'.",
    });
  });
});
