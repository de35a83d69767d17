import { describe, expect, it } from 'vitest';
import {
  ComputationError,
  EnvironmentError,
  ImageError,
  InvalidArgumentError,
  StyleTransferError,
  WeightsError,
} from '../../src/errors';
import { errorOf, recordOf } from '../../src/worker/error-record';

/** A thrown value as the page gets it. */
const crossed = (thrown: unknown): unknown => errorOf(structuredClone(recordOf(thrown)));

describe('an error that crosses from a worker', () => {
  it.each([
    StyleTransferError,
    InvalidArgumentError,
    ImageError,
    WeightsError,
    EnvironmentError,
    ComputationError,
  ])('stays a %o', (ErrorClass) => {
    const error = new ErrorClass('OUT_OF_RANGE', 'size is 7; accepted: 16 to 16384.', {
      option: 'size',
      value: 7,
      accepted: ['16', '16384'],
    });
    const found = crossed(error);
    expect(found).toBeInstanceOf(ErrorClass);
    expect(found).toMatchObject({ ...error, message: error.message, name: error.name, stack: error.stack });
  });

  it('keeps its cause, and theirs, but no circle of causes', () => {
    const inner = new TypeError('fetch failed');
    const found = crossed(new WeightsError('DOWNLOAD_FAILED', 'no answer', { cause: inner })) as Error;
    expect(found.cause).toBeInstanceOf(TypeError);
    expect((found.cause as Error).message).toBe('fetch failed');
    const circle = new Error('round');
    circle.cause = circle;
    expect((crossed(circle) as Error).message).toBe('round');
  });

  it('has the text of a value that cannot cross, and of an image', () => {
    for (const [value, shown] of [
      [() => 1, 'a function'],
      [new Map(), 'a Map'],
      [{ data: new Uint8Array(3), width: 1 }, 'an object'],
    ] as const)
      expect((crossed(new ImageError('NOT_AN_IMAGE', 'no', { value })) as ImageError).value).toBe(shown);
  });

  it("stays one of the platform's", () => {
    const abort = crossed(new DOMException('aborted', 'AbortError'));
    expect(abort).toBeInstanceOf(DOMException);
    expect(abort).toMatchObject({ name: 'AbortError', message: 'aborted' });
    expect(crossed(new RangeError('too long'))).toBeInstanceOf(RangeError);
  });

  it('has its own name if its class is unknown here, and is itself if it is no error', () => {
    const own = Object.assign(new Error('odd'), { name: 'odd thing' });
    expect(crossed(own)).toMatchObject({ name: 'odd thing', message: 'odd' });
    expect(crossed('text')).toBe('text');
    expect(crossed(undefined)).toBe(undefined);
  });
});
