import type { OpenGenerator } from './open-generator';

/** Whether a value is an {@link OpenGenerator}. */
export function isOpenGenerator(value: unknown): value is OpenGenerator {
  const { kind, run } = (value ?? {}) as Partial<OpenGenerator>;
  return kind === 'openGenerator' && typeof run === 'function';
}
