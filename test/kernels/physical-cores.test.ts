import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { coresAmong, physicalCores } from '../../src/kernels/physical-cores';

describe('physicalCores', () => {
  it('counts a core with two hardware threads once', () => {
    // What Linux says of four cores with two threads each, in either order that it numbers them.
    const interleaved = ['0-1', '0-1', '2-3', '2-3', '4-5', '4-5', '6-7', '6-7'];
    const halves = ['0,4', '1,5', '2,6', '3,7', '0,4', '1,5', '2,6', '3,7'];
    for (const siblings of [interleaved, halves]) {
      expect(coresAmong(siblings, 8)).toBe(4);
      // A program that is held to some of them.
      expect(coresAmong(siblings, 4)).toBe(2);
      expect(coresAmong(siblings, 1)).toBe(1);
    }
  });

  it('counts cores with one thread each, and takes what it is told where nothing is known', () => {
    expect(coresAmong(['0', '1', '2'], 3)).toBe(3);
    expect(coresAmong([], 6)).toBe(6);
  });

  it('is between one and what the machine has', () => {
    expect(physicalCores()).toBeGreaterThanOrEqual(1);
    expect(physicalCores()).toBeLessThanOrEqual(availableParallelism());
  });
});
