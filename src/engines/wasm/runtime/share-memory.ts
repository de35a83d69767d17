/**
 * The same module with its imported memory marked as shared, so that one binary serves one thread and several: in the
 * import section (WebAssembly core specification, 5.5.5, and the threads proposal) bit 1 of the memory's limits.
 */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(module);
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  const skipName = () => {
    const length = number();
    at += length;
  };
  const importSection = 2;
  const memoryImport = 2;
  while (at < bytes.length) {
    const section = bytes[at++];
    const length = number();
    if (section !== importSection) {
      at += length;
      continue;
    }
    // The kernels import nothing but their memory.
    number();
    skipName();
    skipName();
    if (bytes[at++] === memoryImport) bytes[at] |= 2;
    return bytes;
  }
  return bytes;
}
