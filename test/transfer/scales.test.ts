import { describe, expect, it } from 'vitest';
import { anyPlatform } from '../../src/platform';
import { readSettings, type StyleTransferOptions } from '../../src/transfer/options';
import { scheduleOf } from '../../src/transfer/schedule';
import { workOf } from '../../src/transfer/work';
import '../support/backends';

const read = (options: object) =>
  readSettings(anyPlatform, options as StyleTransferOptions, undefined, undefined);
/** The stages of a content image of 3000 x 2000 pixels. */
const schedule = (options: object) => scheduleOf(read(options), { width: 3000, height: 2000 });
const loss = { name: 'mine', layers: [], compute: () => undefined };

describe('scales', () => {
  it.each<[unknown, string, string]>([
    [[], 'EMPTY', 'scales is an empty list; accepted: 1, '],
    [3, 'WRONG_TYPE', 'scales is 3; accepted: 1, '],
    ['all', 'WRONG_TYPE', "scales is 'all'; accepted: 1, 'auto', or a list"],
    [null, 'WRONG_TYPE', 'scales is null'],
    [[{ size: 8 }], 'OUT_OF_RANGE', 'scales[0].size is 8; accepted: a whole number from 16 to 16384.'],
    [[{ size: 64 }, { size: 20000 }], 'OUT_OF_RANGE', 'scales[1].size is 20000'],
    [[{}], 'OUT_OF_RANGE', 'scales[0].size is undefined'],
    [[{ size: 64, iterations: 0 }], 'OUT_OF_RANGE', 'scales[0].iterations is 0'],
    [[{ size: 64, steps: 3 }], 'UNKNOWN_OPTION', "no option 'steps'"],
    [[64, 128], 'WRONG_TYPE', '64; accepted: a plain record'],
    [
      [{ size: 64 }, { size: 256 }, { size: 128 }],
      'OUT_OF_RANGE',
      'scales is [64, 256, 128], where 256 is larger than the next, 128; accepted: a first size of at most 128',
    ],
  ])('that are %j are refused: %s', (scales, code, message) => {
    expect(() => read({ scales })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('refuse what has no effect beside a list, and a loss of one size beside several', () => {
    const conflict = (option: string, message: string) =>
      expect.objectContaining({
        code: 'CONFLICTING_OPTIONS',
        option,
        message: expect.stringContaining(message),
      });
    const scales = [{ size: 64 }, { size: 128, iterations: 5 }];
    expect(() => read({ scales, size: 256 })).toThrow(
      conflict('size', 'size is 256, but the last of scales is 128'),
    );
    expect(read({ scales, size: 128 }).size).toBe(128);
    expect(() => read({ scales, loss })).toThrow(
      conflict('scales', 'scales has 2 sizes, but loss holds targets of one'),
    );
    expect(() => read({ scales: [{ size: 64, iterations: 2 }], iterations: 3 })).toThrow(
      conflict('iterations', 'iterations has no effect'),
    );
    expect(read({ scales, iterations: 3, loss: () => loss }).iterations).toBe(3);
  });

  it('of a list are the stages, in the content’s proportions; the last is the result’s size', () => {
    const scales = [{ size: 96, iterations: 7 }, { size: 150 }];
    const stages = schedule({ scales, iterations: 20 });
    expect(stages).toMatchObject([
      { width: 96, height: 64, iterations: 7, scale: 0.64 },
      { width: 150, height: 100, scale: 1 },
    ]);
    expect(read({ scales }).size).toBe(150);
    expect(stages[1].iterations).toBeLessThanOrEqual(20);
  });

  const deep = { preset: 'gatys2016' } as const;

  it('of their own choice are one below 512 pixels, for shallow presets, custom losses and style files', () => {
    const one = (size: number) => [{ width: size, iterations: 30, maxEvaluations: Infinity, scale: 1 }];
    for (const options of [
      { ...deep, size: 511 },
      { ...deep, size: 2048, scales: 1 },
      { size: 2048 },
      { size: 2048, loss },
      { size: 2048, loss: () => loss },
    ])
      expect(schedule({ ...options, iterations: 30 })).toMatchObject(one(options.size));
    const settings = read({ ...deep, size: 2048, iterations: 30 });
    expect(scheduleOf(settings, { width: 3000, height: 2000 }, true)).toMatchObject(one(2048));
    expect(scheduleOf(read(deep), { width: 300, height: 200 })).toMatchObject([{ width: 300, height: 200 }]);
  });

  it('of their own choice double up to the size of the result, at fewer iterations each', () => {
    expect(schedule({ ...deep, size: 1500, iterations: 60 })).toMatchObject([
      { width: 375, height: 250, iterations: 60, scale: 0.25 },
      { width: 750, height: 500, iterations: 30, scale: 0.5 },
      { width: 1500, height: 1000, iterations: 20, scale: 1 },
    ]);
    expect(schedule({ ...deep, size: 512 }).map(({ width }) => width)).toEqual([256, 512]);
    expect(schedule({ ...deep, size: 4096 })).toHaveLength(5);
  });

  it('share a limit of evaluations by iterations, and the last always has one', () => {
    const scales = [
      { size: 64, iterations: 60 },
      { size: 128, iterations: 30 },
      { size: 256, iterations: 10 },
    ];
    const shares = (maxEvaluations: number) =>
      schedule({ scales, maxEvaluations }).map(({ width, maxEvaluations: share }) => [width, share]);
    expect(shares(50)).toEqual([
      [64, 30],
      [128, 15],
      [256, 5],
    ]);
    expect(shares(1)).toEqual([[256, 1]]);
    expect(shares(2)).toEqual([
      [64, 1],
      [256, 1],
    ]);
  });
});

describe('work', () => {
  const [small, large] = [
    { width: 10, height: 10, iterations: 8, maxEvaluations: Infinity, scale: 0.5 },
    { width: 20, height: 20, iterations: 4, maxEvaluations: Infinity, scale: 1 },
  ];

  it('counts pixels: of 8 evaluations of 100 and 4 of 400 pixels, 4 of the first are a sixth', () => {
    const at = { iteration: 4, evaluations: 4, secondsPerEvaluation: 0.5 };
    // 400 of 2400 pixels are done; the 2000 left take 0.005 s each.
    expect(workOf([small, large], 0, at)).toEqual({ done: 1 / 6, secondsLeft: 10 });
  });

  it('ends at 1, with no time left', () => {
    const at = { iteration: 4, evaluations: 6, secondsPerEvaluation: 0.5 };
    expect(workOf([small, large], 1, at)).toEqual({ done: 1, secondsLeft: 0 });
  });

  it('is no more than the limit of evaluations', () => {
    const limited = { ...large, maxEvaluations: 3 };
    const at = { iteration: 1, evaluations: 1, secondsPerEvaluation: 2 };
    expect(workOf([limited], 0, at)).toEqual({ done: 1 / 3, secondsLeft: 4 });
  });
});
