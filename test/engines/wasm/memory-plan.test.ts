import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planMemory, type Tenant } from '../../../src/engines/wasm/runtime/memory-plan';

const tenant = fc.record({
  bytes: fc.integer({ min: 1, max: 5000 }),
  from: fc.nat(10),
  length: fc.nat(10),
});
const tenants = fc
  .array(tenant, { maxLength: 20 })
  .map((all) => all.map(({ bytes, from, length }): Tenant => ({ bytes, from, to: from + length })));

const together = (a: Tenant, b: Tenant) => a.from <= b.to && b.from <= a.to;

describe('planMemory', () => {
  it('lets no two that are needed at the same time overlap, at cache lines', () => {
    fc.assert(
      fc.property(tenants, (all) => {
        const { offsets, bytes } = planMemory(all);
        for (const [i, a] of all.entries()) {
          expect(offsets[i] % 64).toBe(0);
          expect(offsets[i] + a.bytes).toBeLessThanOrEqual(bytes);
          for (const [j, b] of all.entries()) {
            if (j <= i || !together(a, b)) continue;
            expect(offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i]).toBe(true);
          }
        }
      }),
    );
  });

  it('takes no more than all together, and no less than the fullest moment', () => {
    fc.assert(
      fc.property(tenants, (all) => {
        const { bytes } = planMemory(all);
        const line = (n: number) => Math.ceil(n / 64) * 64;
        const at = (time: number) =>
          all.reduce((sum, { bytes, from, to }) => sum + (from <= time && time <= to ? bytes : 0), 0);
        expect(bytes).toBeLessThanOrEqual(all.reduce((sum, tenant) => sum + line(tenant.bytes), 0));
        expect(bytes).toBeGreaterThanOrEqual(Math.max(...Array.from({ length: 21 }, (_, time) => at(time))));
      }),
    );
  });

  it('gives two that follow each other the same place', () => {
    const plan = planMemory([
      { bytes: 1000, from: 0, to: 1 },
      { bytes: 900, from: 2, to: 3 },
    ]);
    expect(plan).toEqual({ offsets: [0, 0], bytes: 1000 });
  });

  it('without tenants is empty', () => {
    expect(planMemory([])).toEqual({ offsets: [], bytes: 0 });
  });
});
