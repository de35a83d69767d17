import { describe, expect, expectTypeOf, it } from 'vitest';
import { showText, showUrl, showValue } from '../../src/options/show';
import { abortSignal, callback, flag, number, oneOf, optionTable } from '../../src/options/table';

interface Options {
  readonly size?: number | undefined;
  readonly rate?: number | undefined;
  readonly kind?: 'a' | 'b' | undefined;
  readonly fast?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (() => void) | undefined;
}

const table = optionTable<Options>()('paint', {
  size: number({ min: 16, max: 8192, integer: true }),
  rate: number({ min: 0, exclusive: true, default: 0.5 }),
  kind: oneOf(['a', 'b'], { default: 'a' }),
  fast: flag({ default: false }),
  signal: abortSignal(),
  onStep: callback(),
});

describe('an option table', () => {
  it('fills defaults in, and says so in types', () => {
    const read = table.read({ size: 32, kind: undefined });
    expect(read).toEqual({
      size: 32,
      rate: 0.5,
      kind: 'a',
      fast: false,
      signal: undefined,
      onStep: undefined,
    });
    expectTypeOf(read.rate).toEqualTypeOf<number>();
    expectTypeOf(read.size).toEqualTypeOf<number | undefined>();
    expectTypeOf(read.kind).toEqualTypeOf<'a' | 'b'>();
  });

  it.each<[object, string, string]>([
    [
      { siez: 3 },
      'UNKNOWN_OPTION',
      "paint has no option 'siez'; did you mean 'size'? It takes: size, rate, kind, fast, signal, onStep.",
    ],
    [{ size: 8 }, 'OUT_OF_RANGE', 'size is 8; accepted: a whole number from 16 to 8192.'],
    [{ kind: 'c' }, 'UNKNOWN_NAME', "kind is 'c'; did you mean 'a'? Accepted: a, b."],
    [{ fast: 1 }, 'WRONG_TYPE', 'fast is 1; accepted: true or false.'],
    [{ signal: {} }, 'WRONG_TYPE', 'signal is an object; accepted: an AbortSignal.'],
    [{ onStep: 'x' }, 'WRONG_TYPE', "onStep is 'x'; accepted: a function."],
    [
      new (class Settings {
        size = 32;
      })(),
      'WRONG_TYPE',
      'The options of paint are a Settings; accepted: a plain record, { name: value }.',
    ],
    [
      null as never,
      'WRONG_TYPE',
      'The options of paint are null; accepted: a plain record, { name: value }.',
    ],
    [[], 'WRONG_TYPE', 'The options of paint are []; accepted: a plain record, { name: value }.'],
  ])('refuses %o with %s', (given, code, message) => {
    expect(() => table.read(given)).toThrow(
      expect.objectContaining({ name: 'InvalidArgumentError', code, message }),
    );
  });

  it('keeps a message short and its check fast whatever the name', () => {
    const start = performance.now();
    expect(() => table.read({ ['x'.repeat(300_000)]: 1 } as object)).toThrow(/^.{0,400}$/);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('what messages show', () => {
  it('no control characters, no secrets, nothing long', () => {
    expect(showText('a\u001b[31mred\u0007\nb')).toBe('a\\u001b[31mred\\u0007\\u000ab');
    expect(showText('x'.repeat(200))).toHaveLength(80);
    expect(showUrl('https://user:secret@host.example/model.json?token=abc#x')).toBe(
      'https://host.example/model.json?...',
    );
    expect(showUrl('data:image/png;base64,AAAA')).toBe('data:image/png');
    expect(showValue({})).toBe('an object');
    expect(showValue(new Uint8Array(3))).toBe('a Uint8Array');
    expect(showValue(new Error('x'))).toBe('an Error');
  });
});
