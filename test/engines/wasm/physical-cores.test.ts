import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { coresAmong, numbersOf, physicalCores } from '../../../src/engines/wasm/runtime/physical-cores';

/** What Linux says of four cores with two threads each, in either order that it numbers them. */
const interleaved = ['0-1', '0-1', '2-3', '2-3', '4-5', '4-5', '6-7', '6-7'];
const halves = ['0,4', '1,5', '2,6', '3,7', '0,4', '1,5', '2,6', '3,7'];

describe('physicalCores', () => {
  it('counts a core with two hardware threads once', () => {
    for (const siblings of [interleaved, halves])
      expect(coresAmong(numbersOf('0-7'), (thread) => siblings[thread])).toBe(4);
  });

  it('counts the cores that the program is held to, by one of their threads or by both', () => {
    const cores = (list: string) => coresAmong(numbersOf(list), (thread) => interleaved[thread]);
    expect(cores('0,2,4,6')).toBe(4);
    expect(cores('0-3')).toBe(2);
    expect(cores('5')).toBe(1);
  });

  it('reads lists as the kernel writes them', () => {
    expect(numbersOf('0-3,8')).toEqual([0, 1, 2, 3, 8]);
    expect(numbersOf('')).toEqual([]);
  });

  it('is between one and what the machine has', () => {
    expect(physicalCores()).toBeGreaterThanOrEqual(1);
    expect(physicalCores()).toBeLessThanOrEqual(availableParallelism());
  });
});
