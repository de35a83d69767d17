import type { BytePicture, Pictures } from './pictures';

/** Bytes of pictures that are kept by default. */
const defaultRoom = 2 ** 28;

/**
 * Pictures that are made or decoded when they are first needed. Training looks at each again and again, so as many as
 * fit into `room` are kept, without those that were made first.
 */
export function cachedPictures({ count, identity, at }: Pictures, room = defaultRoom): Pictures {
  const kept = new Map<number, BytePicture>();
  let bytes = 0;
  return {
    count,
    identity,
    async at(index) {
      const found = kept.get(index);
      if (found) return found;
      const made = await at(index);
      kept.set(index, made);
      bytes += made.data.length;
      for (const [oldest, { data }] of kept) {
        if (bytes <= room) break;
        kept.delete(oldest);
        bytes -= data.length;
      }
      return made;
    },
  };
}
