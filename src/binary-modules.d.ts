/** Binary files are inlined by the build as base64 (scripts/binary-modules.ts, tsup's `binary` loader). */
declare module '*.bin' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
