import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { lbfgs } from '../../src/optim';
import { anyPlatform } from '../../src/platform';
import { tinyExtractor } from '../../src/testing';
import {
  readSettings as readSettingsOn,
  type Settings,
  type StyleTransferOptions,
  styleTransferOptions,
} from '../../src/transfer/options';
import '../support/backends';

type Rest = [options?: unknown, beta?: unknown, rest?: unknown];

const readSettings = (...[options, beta, rest]: Rest) =>
  readSettingsOn(anyPlatform, options as StyleTransferOptions, beta as number, rest as StyleTransferOptions);
const read = (options: unknown) => readSettings(options);
const loss = {
  name: 'mine',
  layers: [],
  compute: () => undefined,
} as unknown as StyleTransferOptions['loss'];
const extractor = {
  extract() {},
  linearize() {},
  layers: [],
} as unknown as StyleTransferOptions['extractor'];

describe('options of styleTransfer', () => {
  it('are complete without any', () => {
    const { preset, ...rest } = readSettings(undefined, undefined, undefined);
    expect(preset.name).toBe('li2021');
    expect(rest).toMatchObject({ init: 'content', iterations: 100, tolerance: 0, seed: 0, engine: 'auto' });
    expectTypeOf<Settings['iterations']>().toEqualTypeOf<number>();
    expectTypeOf<Settings['size']>().toEqualTypeOf<number | undefined>();
  });

  it('come in two forms', () => {
    expect(readSettings(2, 3, { seed: 4 })).toEqual(read({ alpha: 2, beta: 3, seed: 4 }));
    expect(read({ preset: 'gatys2016' })).toMatchObject({ iterations: 150, preset: { name: 'gatys2016' } });
  });

  it.each<[string, unknown, string]>([
    ['signal', {}, 'WRONG_TYPE'],
    ['signal', 'abort', 'WRONG_TYPE'],
    ['onProgress', {}, 'WRONG_TYPE'],
    ['loss', 3, 'WRONG_TYPE'],
    ['loss', { name: 'no compute', layers: [] }, 'WRONG_TYPE'],
    ['extractor', 'vgg19', 'WRONG_TYPE'],
    ['extractor', { extract() {} }, 'WRONG_TYPE'],
    ['optimizer', 'lbfgs', 'WRONG_TYPE'],
    ['optimizer', lbfgs, 'WRONG_TYPE'],
    ['weights', 19, 'WRONG_TYPE'],
    ['weights', null, 'WRONG_TYPE'],
    ['init', 3, 'WRONG_TYPE'],
    ['init', 'nois', 'UNKNOWN_NAME'],
    ['relaxedSimd', 'yes', 'WRONG_TYPE'],
    ['threads', 1.5, 'OUT_OF_RANGE'],
    ['tolerance', Number.NaN, 'OUT_OF_RANGE'],
  ])('refuse %s: %s', (option, value, code) => {
    expect(() => read({ [option]: value })).toThrow(expect.objectContaining({ code, option }));
  });

  it.each<[string, string, object]>([
    ['preset', 'loss', { preset: 'li2021', loss }],
    ['alpha', 'loss', { alpha: 1, loss }],
    ['beta', 'loss', { beta: 1, loss }],
    ['weights', 'extractor', { weights: 'vgg19', extractor }],
    ['engine', 'extractor', { engine: 'auto', extractor }],
    ['threads', 'extractor', { threads: 2, extractor }],
    ['relaxedSimd', 'extractor', { relaxedSimd: false, extractor }],
  ])('refuse %s beside %s, where it would have no effect', (dead, option, given) => {
    expect(() => read(given)).toThrow(
      expect.objectContaining({
        code: 'CONFLICTING_OPTIONS',
        option: dead,
        message: expect.stringContaining(`${dead} has no effect beside ${option}`),
      }),
    );
  });

  it('refuse weights as arguments beside a loss, or given twice', () => {
    const conflicting = (option: string) => expect.objectContaining({ code: 'CONFLICTING_OPTIONS', option });
    expect(() => readSettings(1, 2, { loss })).toThrow(conflicting('alpha'));
    expect(() => readSettings(1, 2, { alpha: 3 })).toThrow(conflicting('alpha'));
    expect(() => readSettings(1, 2, { beta: 3 })).toThrow(conflicting('beta'));
  });

  it('refuse instances of classes, whose fields would be half ignored', () => {
    class Mine {
      iterations = 5;
    }
    for (const given of [new Mine(), new Map(), [], null, 'fast'])
      expect(() => read(given)).toThrow(expect.objectContaining({ code: 'WRONG_TYPE' }));
    expect(() => readSettings(1, 2, new Mine())).toThrow(expect.objectContaining({ code: 'WRONG_TYPE' }));
  });

  it('are not ignored when a weight is missing', () => {
    expect(() => readSettings(undefined, undefined, { iterations: 3 })).toThrow(
      expect.objectContaining({ code: 'OUT_OF_RANGE', option: 'alpha' }),
    );
    expect(() => readSettings({ iterations: 3 }, 4, undefined)).toThrow(
      expect.objectContaining({ option: 'alpha' }),
    );
  });

  it('take an extractor and a method of the library', async () => {
    await tf.setBackend('cpu');
    expect(read({ extractor: tinyExtractor(), optimizer: lbfgs() })).toMatchObject({ engine: 'auto' });
  });

  it('have a flag and a line of help each, but for what no command line can give', () => {
    const { options } = styleTransferOptions;
    const without = Object.entries(options).flatMap(
      ([name, { flag, help }]: [string, object & { flag?: string; help?: string }]) =>
        flag && help ? [] : [name],
    );
    expect(without).toEqual(['extractor', 'loss', 'optimizer', 'signal', 'onProgress']);
    expect(options.size).toMatchObject({
      flag: '--size <pixels>',
      accepts: 'a whole number from 16 to 16384',
    });
  });
});
