import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { useWasm } from '../../src';
import { wasmBinary } from '../../src/backends/wasm-binary';

const installed = 'node_modules/@tensorflow/tfjs-backend-wasm';

test('the binary of this package is that of the installed backend, whose version counts as known', async () => {
  const { version } = JSON.parse(await readFile(`${installed}/package.json`, 'utf8')) as { version: string };
  const bytes = await wasmBinary({ paths: undefined, version, simd: true });
  expect(Buffer.compare(bytes, await readFile(`${installed}/wasm-out/tfjs-backend-wasm-simd.wasm`))).toBe(0);
});

test.each([
  [{ version: '4.23.0', simd: true }, 'tfjs-backend-wasm-simd.wasm for 4.23.0 of the wasm backend'],
  [{ version: '4.22.0', simd: false }, 'tfjs-backend-wasm.wasm for WebAssembly without SIMD'],
])('without paths, the binary for %o is refused with what would give it', async (request, message) => {
  await expect(wasmBinary({ paths: undefined, ...request })).rejects.toMatchObject({
    code: 'NO_BACKEND',
    option: 'paths',
    message: expect.stringContaining(message),
  });
});

test.each([
  [{ paths: 5 }, 'WRONG_TYPE'],
  [{ paths: { 'tfjs-backend-wasm-simd.wasm': 5 } }, 'WRONG_TYPE'],
  [{ paths: { 'tfjs-backend-wasm-smid.wasm': '/a' } }, 'UNKNOWN_OPTION'],
  [{ path: '/a' }, 'UNKNOWN_OPTION'],
])('refuses %o', async (options, code) => {
  await expect(useWasm(options as never)).rejects.toMatchObject({ name: 'InvalidArgumentError', code });
});

test('an abort ends it with the reason', async () => {
  const reason = new Error('enough');
  await expect(useWasm({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('the call of pages starts wasm in Node too, and leaves no listener for errors of the whole process', async () => {
  const count = () =>
    process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
  const before = count();
  await useWasm();
  expect(tf.getBackend()).toBe('wasm');
  expect(tf.sum(tf.ones([6])).dataSync()[0]).toBe(6);
  expect(count()).toBe(before);
  // A second call finds it running.
  await useWasm({ paths: '/nowhere' });
  expect(tf.getBackend()).toBe('wasm');
});
