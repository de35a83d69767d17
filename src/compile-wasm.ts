import { EnvironmentError, type ErrorDetails } from './errors';
import { showText } from './options/show';

/**
 * Compiles WebAssembly.
 *
 * @param details of the error; what is accepted completes its message
 * @throws EnvironmentError `NO_WASM` if it may not be compiled here, as by a page's content security policy
 */
export async function compileWasm(
  bytes: BufferSource,
  details: ErrorDetails & { readonly accepted: string },
): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const reason = showText(cause instanceof Error ? cause.message : String(cause), 200);
    const message = `WebAssembly does not compile here (${reason}); accepted: ${details.accepted}.`;
    throw new EnvironmentError('NO_WASM', message, { ...details, cause });
  }
}
