import { describe, expect, it } from 'vitest';
import { enoughRepeats } from '../../../src/engines/webgpu/device/clock';

/** A clock in steps of 65.5 microseconds, of work that takes `ms`, and the repeats that it was asked for. */
function steppedClock(ms: number) {
  const asked: number[] = [];
  const time = async (repeats: number) => {
    asked.push(repeats);
    return Math.floor((repeats * ms) / 0.0655) * 0.0655;
  };
  return { asked, time };
}

describe('repeats of work that is timed', () => {
  it.each([0.003, 0.05, 0.7, 3])('are so many that steps of the clock count little: %d ms', async (ms) => {
    const { time } = steppedClock(ms);
    const repeats = await enoughRepeats(time, 5, 10_000);
    expect((await time(repeats)) / repeats / ms).toBeCloseTo(1, 1);
    expect(repeats * ms).toBeGreaterThan(5);
    expect(repeats * ms).toBeLessThan(12);
  });

  it('are one of what is slow, and bounded', async () => {
    const slow = steppedClock(800);
    expect(await enoughRepeats(slow.time, 5, 200)).toBe(1);
    expect(slow.asked).toEqual([1]);
    expect(await enoughRepeats(steppedClock(0).time, 5, 200)).toBe(200);
  });
});
