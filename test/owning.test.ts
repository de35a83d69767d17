import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { freeAll, Lifetime, type Owner, owning } from '../src/owning';

describe('owning', () => {
  it('frees temporaries when the work is done, the newest first, and leaves results', () => {
    const order: string[] = [];
    const value = owning(({ temporary, result }) => {
      temporary(() => order.push('first'));
      result(() => order.push('result'));
      temporary({ dispose: () => order.push('second') });
      return 7;
    });
    expect(value).toBe(7);
    expect(order).toEqual(['second', 'first']);
  });

  it('frees results too when the work throws, and throws what it threw', () => {
    const freed = vi.fn();
    expect(() =>
      owning(({ result }) => {
        result(freed);
        throw new Error('work');
      }),
    ).toThrow('work');
    expect(freed).toHaveBeenCalledOnce();
  });

  it('waits for a promise', async () => {
    const freed = vi.fn();
    const work = owning(async ({ temporary, result }) => {
      temporary(freed);
      result(freed);
      await Promise.resolve();
      expect(freed).not.toHaveBeenCalled();
      throw new Error('later');
    });
    await expect(work).rejects.toThrow('later');
    expect(freed).toHaveBeenCalledTimes(2);
  });

  it('frees the others where one dispose throws', () => {
    const freed = vi.fn();
    const bad = () => {
      throw new Error('dispose');
    };
    expect(() => freeAll([freed, bad, freed])).toThrow('dispose');
    expect(freed).toHaveBeenCalledTimes(2);
    expect(() =>
      owning(({ temporary }) => {
        temporary(freed);
        temporary(bad);
        throw new Error('work');
      }),
    ).toThrow('work');
    expect(freed).toHaveBeenCalledTimes(3);
  });

  it('frees results if freeing a temporary throws', async () => {
    const freed = vi.fn();
    const work = ({ temporary, result }: Owner) => {
      result(freed);
      temporary(() => {
        throw new Error('dispose');
      });
      temporary(freed);
    };
    expect(() => owning(work)).toThrow('dispose');
    expect(freed).toHaveBeenCalledTimes(2);
    await expect(owning(async (owner) => work(owner))).rejects.toThrow('dispose');
    expect(freed).toHaveBeenCalledTimes(4);
  });

  it('waits for a dispose that returns a promise, and hears its rejection', async () => {
    const order: string[] = [];
    const late = { dispose: () => Promise.resolve().then(() => order.push('late')) };
    await owning(async ({ temporary }) => {
      temporary(() => order.push('after'));
      temporary(late);
    });
    expect(order).toEqual(['late', 'after']);
    const rejecting = { dispose: () => Promise.reject(new Error('late')) };
    await expect(owning(async ({ temporary }) => void temporary(rejecting))).rejects.toThrow('late');
    owning(({ temporary }) => void temporary(rejecting));
    await new Promise((resolve) => setTimeout(resolve));
  });

  it('frees tensors, alone, in lists and in records', async () => {
    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    owning(({ temporary }) => {
      temporary(tf.scalar(1));
      temporary([tf.scalar(2), tf.scalar(3)]);
      temporary({ conv1_1: tf.scalar(4), conv1_2: undefined });
      temporary(undefined);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('Lifetime', () => {
  it('refuses use after the end, which comes once', () => {
    const lifetime = new Lifetime('The extractor');
    lifetime.requireAlive();
    expect(lifetime.end()).toBe(true);
    expect(lifetime.end()).toBe(false);
    expect(() => lifetime.requireAlive()).toThrow(
      expect.objectContaining({
        name: 'ComputationError',
        code: 'DISPOSED',
        message: 'The extractor has been disposed and can no longer be used.',
      }),
    );
  });
});
