import { describe, expect, it } from 'vitest';
import { nearestName, requireKnownOptions, requireName, requireNumber } from '../../src/options/validate';

describe('nearestName', () => {
  it.each([
    ['tfsj', 'tfjs'],
    ['wams', 'wasm'],
    ['conv2-2', 'conv2_2'],
    ['Gatys2016', 'gatys2016'],
    ['iteration', 'iterations'],
  ])('%s is %s misspelt', (written, meant) => {
    expect(nearestName(written, ['tfjs', 'wasm', 'conv2_2', 'gatys2016', 'iterations', 'conv1_1'])).toBe(
      meant,
    );
  });

  it('finds nothing for what is like nothing', () => {
    expect(nearestName('picasso', ['tfjs', 'wasm'])).toBeUndefined();
  });
});

describe('checks of arguments', () => {
  it('name the option, the value and what is accepted', () => {
    expect(() => requireName('engine', 'gpu', ['tfjs', 'wasm'])).toThrow(
      "engine is 'gpu'. Accepted: tfjs, wasm.",
    );
    expect(() => requireNumber('alpha', Number.NaN, { min: 0 })).toThrow(
      'alpha is NaN; accepted: a finite number of at least 0.',
    );
    expect(() => requireNumber('size', 1.5, { min: 1, max: 9, integer: true })).toThrow(
      'size is 1.5; accepted: a whole number from 1 to 9.',
    );
    expect(() => requireKnownOptions('f', { aplha: 1 }, ['alpha'])).toThrow(
      "f has no option 'aplha'; did you mean 'alpha'? It takes: alpha.",
    );
  });

  it('carry the same as data', () => {
    expect(() => requireNumber('beta', -1, { min: 0 })).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentError',
        code: 'OUT_OF_RANGE',
        option: 'beta',
        value: -1,
      }),
    );
  });
});
