import { defineConfig } from 'vitest/config';
import { binaryModules } from './scripts/binary-modules.ts';

export default defineConfig({
  plugins: [binaryModules()],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
