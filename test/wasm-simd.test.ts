import { describe, expect, it } from 'vitest';
import flow from '../build/flow.wasm';
import strict from '../build/kernels.wasm';
import relaxed from '../build/kernels-relaxed.wasm';
import { sectionsOf } from '../scripts/wasm-sections';
import { loadVgg19 } from '../src/engines';
import { styleTransfer } from '../src/transfer/style-transfer';
import { requireRelaxedSimd, supportsRelaxedSimd, supportsSimd } from '../src/wasm-simd';

describe('what WebAssembly can do here', () => {
  it('is told as the kernels themselves find it', () => {
    expect(supportsSimd()).toBe(WebAssembly.validate(strict));
    expect(supportsRelaxedSimd()).toBe(WebAssembly.validate(relaxed));
  });

  it('is checked before anything is loaded', async () => {
    const image = { data: new Uint8Array(16 * 16 * 3), width: 16, height: 16, channels: 3 } as const;
    const wrong = { relaxedSimd: 'yes' as never };
    const refusal = { code: 'WRONG_TYPE', option: 'relaxedSimd', value: 'yes' };
    await expect(loadVgg19(wrong)).rejects.toMatchObject(refusal);
    await expect(styleTransfer(image, image, wrong)).rejects.toMatchObject(refusal);
    expect(() => requireRelaxedSimd(false)).not.toThrow();
    if (supportsRelaxedSimd()) expect(() => requireRelaxedSimd(true)).not.toThrow();
    else {
      expect(() => requireRelaxedSimd(true)).toThrow(/^relaxedSimd is true, which needs .*Node 22/);
      await expect(styleTransfer(image, image, { relaxedSimd: true })).rejects.toMatchObject({
        code: 'NO_RELAXED_SIMD',
      });
    }
  });

  it('gives kernels that fit into the package and share memory: no data, no start function', () => {
    for (const bytes of [strict, relaxed, flow]) {
      expect((bytes.length * 4) / 3).toBeLessThan(64 * 1024);
      expect([...sectionsOf(bytes)]).toEqual(['other']);
    }
  });

  it('would be seen to have data or a start function', () => {
    const header = [0, 97, 115, 109, 1, 0, 0, 0];
    // A start section and a data section, each of one byte: only their ids matter.
    expect([...sectionsOf(new Uint8Array([...header, 8, 1, 0, 11, 1, 0]))]).toEqual(['start', 'data']);
  });
});
