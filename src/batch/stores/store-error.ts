import type { ErrorCode } from '../../error-codes';
import { ImageError } from '../../errors';
import { showText } from '../../options/show';
import { mostBytes } from './store';

/** An attempt to read or write a file, for messages. */
export interface Attempt {
  readonly doing: 'read' | 'written';
  /** The argument that named the file. */
  readonly option: string;
  readonly location: string;
}

/** `content cannot be read: http://host/a.png answered 403 Forbidden.` */
export function storeError(
  code: ErrorCode,
  { doing, option, location }: Attempt,
  reason: string,
  cause?: unknown,
): ImageError {
  const message = `${option} cannot be ${doing}: ${showText(reason, 300).replace(/\.$/, '')}.`;
  return new ImageError(code, message, { option, value: location, cause });
}

/** Throws unless a file has from 1 to {@link mostBytes} bytes. */
export function requireBytes(attempt: Attempt, name: string, length: number): void {
  if (length === 0) throw storeError('EMPTY', attempt, `${name} has no bytes`);
  if (length > mostBytes)
    throw storeError(
      'TOO_LARGE',
      attempt,
      `${name} has ${length} bytes or more; accepted: at most ${mostBytes}`,
    );
}
