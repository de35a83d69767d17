import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from '../../../src/engines/webgpu/device/pace';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Milliseconds of the slow GPU that {@link Pace} begins with. */
const costing = (ms: number) => ({ flop: 1e9 * ms, bytes: 0 });

describe('the pace of submissions', () => {
  it('begins as for a slow GPU, and takes a command that is too long alone', () => {
    const pace = new Pace({ onSubmittedWorkDone: async () => undefined }, {});
    expect(pace.isFullWith(costing(500))).toBe(false);
    for (let i = 0; i < 10; i++) {
      expect(pace.isFullWith(costing(10))).toBe(false);
      pace.add(costing(10));
    }
    expect(pace.isFullWith(costing(10))).toBe(true);
    expect(pace.isFullWith({ flop: 0, bytes: 3e7 })).toBe(true);
  });

  it('follows the time that submissions take', async () => {
    let commands = 0;
    let msEach = 0.5;
    const onSubmittedWorkDone = () =>
      new Promise<undefined>((resolve) => setTimeout(resolve, commands * msEach, undefined));
    const pace = new Pace({ onSubmittedWorkDone }, { longestMs: 100 });
    const submit = async () => {
      for (commands = 0; !pace.isFullWith(costing(10)); commands++) pace.add(costing(10));
      pace.submitted();
      await vi.advanceTimersByTimeAsync(commands * msEach);
      return commands * msEach;
    };
    // A fast device: after some submissions they are nearly as long as they may be, and none is longer.
    const fast = [];
    for (let i = 0; i < 10; i++) fast.push(await submit());
    expect(fast[0]).toBe(5);
    expect(fast[9]).toBeGreaterThan(90);
    expect(Math.max(...fast)).toBeLessThanOrEqual(100);
    // It gets slow, as other programs use it: one is too long.
    msEach = 5;
    expect(await submit()).toBeGreaterThan(900);
    expect(await submit()).toBeLessThanOrEqual(100);
    expect(pace.submissions).toBe(12);
  });
});
