import type sharp from 'sharp';
import { EnvironmentError } from '../errors';
import { showText } from '../options/show';

/**
 * sharp, which decodes and encodes image files: an optional dependency, loaded when the first file is read or written.
 */
export async function loadSharp(): Promise<typeof sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // The first line of sharp's own messages says what is wrong; advice for several systems follows.
    const why =
      code === 'ERR_MODULE_NOT_FOUND'
        ? 'is not installed'
        : `does not run here (${showText(message.split('\n', 1)[0])})`;
    throw new EnvironmentError(
      'NO_SHARP',
      `Reading and writing image files needs the package sharp, which ${why}: npm install sharp`,
      { accepted: 'sharp 0.35 or newer', cause },
    );
  }
}

/** `'sharp 0.35.5'`; undefined if sharp is not installed. */
export async function sharpVersion(): Promise<string | undefined> {
  const loaded = await loadSharp().catch(() => undefined);
  return loaded && `sharp ${loaded.versions.sharp}`;
}
