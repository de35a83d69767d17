import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, enoughRepeats } from '../../../src/engines/webgpu/device/clock';
import { type Command, Gpu } from '../../../src/engines/webgpu/device/gpu';

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

/** A device without a clock whose commands take `ms` each, and the commands of each of its submissions. */
function slowDevice(ms: number) {
  const submitted: number[] = [];
  let recorded = 0;
  let freeAt = 0;
  const pass = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups: () => void recorded++, end() {} };
  const queue = {
    submit() {
      submitted.push(recorded);
      freeAt = Math.max(freeAt, performance.now()) + recorded * ms;
      recorded = 0;
    },
    onSubmittedWorkDone: () =>
      new Promise((resolve) => setTimeout(resolve, freeAt - performance.now(), undefined)),
  };
  const device = {
    queue,
    features: new Set(),
    addEventListener() {},
    createShaderModule: () => ({}),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => ({ beginComputePass: () => pass, finish: () => ({}) }),
  };
  return { submitted, device: device as unknown as GPUDevice };
}

describe('the clock of commands', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());
  const costing = (ms: number): Command => ({
    label: 'command',
    code: `of ${ms} ms`,
    bindings: [],
    grid: [1, 1, 1],
    cost: { flop: 1e9 * ms, bytes: 0 },
  });
  const timed = async (clock: Clock, repeats: number) => {
    let ms: number | undefined;
    void clock.time([costing(20), costing(20)], repeats).then((found) => (ms = found));
    while (ms === undefined) await vi.advanceTimersByTimeAsync(1);
    return ms;
  };

  it('divides repeats into submissions that are no longer than those of evaluations, and adds up', async () => {
    // Of 20 ms on the slow GPU that is assumed first; this one takes twice the time.
    const { device, submitted } = slowDevice(40);
    const clock = new Clock(new Gpu(device));
    expect(await timed(clock, 10)).toBeCloseTo(800, -1);
    // The first submission tells of the speed: from then on 100 ms.
    expect(submitted).toEqual([5, 2, 2, 2, 2, 2, 2, 2, 1]);
    expect(await timed(clock, 1)).toBeCloseTo(80, -1);
    clock.dispose();
  });

  it('takes one submission where the device is fast', async () => {
    const { device, submitted } = slowDevice(0.1);
    const clock = new Clock(new Gpu(device));
    await timed(clock, 50);
    submitted.length = 0;
    expect(await timed(clock, 50)).toBeCloseTo(10, 0);
    expect(submitted).toEqual([100]);
    clock.dispose();
  });
});
