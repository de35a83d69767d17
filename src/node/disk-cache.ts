import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { WeightsError } from '../errors';
import { showValue } from '../options/show';
import { isCacheKey, type WeightCache } from '../storage/byte-cache';
import { replaceFile } from './replace-file';

/** Environment variable that names the folder of the cache. */
export const cacheVariable = 'TFJS_STYLE_TRANSFER_CACHE';

/**
 * A cache of weights in a folder. Files are written under a temporary name and renamed, so that several processes can
 * use the folder at once; it is created at the first write.
 *
 * @param folder by default the folder that TFJS_STYLE_TRANSFER_CACHE names, else `tfjs-style-transfer` in
 *   `$XDG_CACHE_HOME` or `~/.cache`, in `~/Library/Caches`, or in `%LOCALAPPDATA%`
 * @example
 * ```ts
 * const source = vgg19Weights({ cache: diskCache('./models') });
 * ```
 */
export function diskCache(folder: string = defaultCacheFolder()): WeightCache {
  const root = resolve(folder);
  const pathOf = (key: string): string => {
    if (isCacheKey(key)) return join(root, key);
    throw new WeightsError('UNSAFE_PATH', `${showValue(key)} is not a cache key.`, {
      option: 'key',
      value: key,
    });
  };
  return {
    name: root,
    async read(key) {
      const path = pathOf(key);
      return unlessMissing(async () => new Uint8Array(await readFile(path)));
    },
    async write(key, bytes) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, bytes).catch(async (error: unknown) => {
        // Windows does not replace a file that another process is reading; if its size is right, that process wrote the
        // same.
        const there = await unlessMissing(() => stat(path));
        if (there?.size !== bytes.length) throw error;
      });
    },
    async delete(key) {
      await rm(pathOf(key), { force: true });
    },
    async list() {
      const names = (await unlessMissing(() => readdir(root, { recursive: true }))) ?? [];
      const keys = names.map((name) => name.split(sep).join('/')).filter(isCacheKey);
      const files = await Promise.all(
        keys.map(async (key) => {
          const found = await unlessMissing(() => stat(join(root, key)));
          return found?.isFile() ? [{ key, bytes: found.size }] : [];
        }),
      );
      return files.flat().sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  };
}

/** The default folder of {@link diskCache}. */
export function defaultCacheFolder(): string {
  return process.env[cacheVariable] || join(...systemCaches(), 'tfjs-style-transfer', ...inside());
}

/**
 * The folder of caches: by Apple's and Microsoft's conventions, else by the XDG Base Directory specification. Asked for
 * when needed, because Deno asks the user before it tells the home folder.
 */
function systemCaches(): string[] {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'darwin') return [homedir(), 'Library', 'Caches'];
  if (process.platform === 'win32') return LOCALAPPDATA ? [LOCALAPPDATA] : [homedir(), 'AppData', 'Local'];
  return XDG_CACHE_HOME ? [XDG_CACHE_HOME] : [homedir(), '.cache'];
}

/** On Windows a program keeps its cache inside of its own folder. */
const inside = () => (process.platform === 'win32' ? ['Cache'] : []);

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}
