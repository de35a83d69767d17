/** Sections that a module of kernels may not have, with the ids that they go by. */
const names: Readonly<Record<number, 'start' | 'data'>> = { 8: 'start', 11: 'data', 12: 'data' };

/** Which of these sections a module has (WebAssembly core specification, 5.5.2). */
export function sectionsOf(bytes: Uint8Array): ReadonlySet<'start' | 'data' | 'other'> {
  const found = new Set<'start' | 'data' | 'other'>();
  for (let at = 8; at < bytes.length; ) {
    found.add(names[bytes[at++]] ?? 'other');
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
  return found;
}
