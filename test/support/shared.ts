import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Weights, photographs and the anchor run are not part of the repository. Tests find them in the folder named by the
 * environment variable TFJS_STYLE_TRANSFER_SHARED, by default `../shared` beside the checkout.
 */
const folder = resolve(process.env.TFJS_STYLE_TRANSFER_SHARED ?? '../shared');

/** Whether `path` of the shared folder is there; says once what is skipped where it is not. */
export function hasShared(path: string): boolean {
  const found = existsSync(resolve(folder, path));
  if (!found && !told.has(path)) {
    told.add(path);
    console.warn(`skipped: tests that need ${path} (not in ${folder}; set TFJS_STYLE_TRANSFER_SHARED)`);
  }
  return found;
}
const told = new Set<string>();

/** Absolute path of a file or folder of the shared folder. */
export const shared = (path: string): string => resolve(folder, path);
