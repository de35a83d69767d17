import { readFile } from 'node:fs/promises';

/**
 * Vite plugin: `import bytes from './file.bin'` (or `.wasm`) gives the file as a `Uint8Array`, base64 in the bundle.
 * esbuild's loader `binary`, which tsup uses for the package, does the same.
 */
export function binaryModules() {
  return {
    name: 'binary-modules',
    enforce: 'pre' as const,
    async load(id: string) {
      if (!/\.(bin|wasm)$/.test(id)) return null;
      const base64 = (await readFile(id)).toString('base64');
      return `export default Uint8Array.from(atob(${JSON.stringify(base64)}), (c) => c.charCodeAt(0));`;
    },
  };
}
