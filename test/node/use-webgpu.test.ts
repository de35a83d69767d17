import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useWebgpu } from '../../src/node';

/** The platform's WebGPU, which Node has none of. */
function withAdapter(requestAdapter: () => Promise<unknown>): void {
  vi.stubGlobal('navigator', { gpu: { requestAdapter }, userAgent: 'node' });
}

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

describe('useWebgpu', () => {
  it('says what is missing where there is no GPU', async () => {
    withAdapter(async () => null);
    await expect(useWebgpu()).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'NO_BACKEND',
      message:
        'WebGPU finds no GPU here; accepted: a GPU with a Vulkan, Metal or Direct3D 12 driver, or useWasm().',
    });
  });

  it('says which package is missing, and how to install it', async () => {
    vi.stubGlobal('navigator', undefined);
    vi.doMock('webgpu', () => {
      throw Object.assign(new Error("Cannot find package 'webgpu'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    await expect(useWebgpu()).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'NO_PACKAGE',
      message: expect.stringMatching(/^WebGPU in Node needs the package webgpu, .*: npm install webgpu$/),
    });
    vi.doUnmock('webgpu');
  });

  it('refuses an option that it does not know, before any work', async () => {
    const requestAdapter = vi.fn();
    withAdapter(requestAdapter);
    await expect(useWebgpu({ powerPreference: 'most' as never })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      option: 'powerPreference',
    });
    expect(requestAdapter).not.toHaveBeenCalled();
  });
});
