export { browserCache, cacheApiCache, indexedDbCache } from './browser-cache';
export { type CachedFile, memoryCache, type WeightCache } from './byte-cache';
export type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from './byte-store';
export type { WeightsProgress, WeightsWarning } from './progress';
export type { RemoteOptions } from './remote-options';
