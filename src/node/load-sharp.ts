import type sharp from 'sharp';
import { EnvironmentError } from '../errors';

/**
 * sharp, which decodes and encodes image files: an optional dependency, loaded when the first file is read or written.
 */
export async function loadSharp(): Promise<typeof sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new EnvironmentError(
      'NO_SHARP',
      'Reading and writing image files needs the package sharp, which is not installed or does not run here: npm install sharp',
      { accepted: 'sharp 0.35 or newer', cause },
    );
  }
}
