/** Longest text of a value, name or URL in a message. */
const longest = 80;

/** Shows a value in an error message: short, without control characters, and never the contents of an image. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `'${showText(value)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value))
    return value.length > 8 ? `an array of ${value.length}` : `[${value.map(showValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return showObject(value);
  return String(value);
}

/**
 * Makes text from outside (a file, a server, a command line) safe for a message: one line, without control characters,
 * which a terminal would obey, and truncated.
 */
export function showText(text: string, length = longest): string {
  const cut = text.length > length ? `${text.slice(0, length - 3)}...` : text;
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A URL for a message: without user name, password, query and fragment, which may hold secrets. */
export function showUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return showText(String(url));
  }
  if (parsed.protocol === 'data:') return `data:${showText(parsed.pathname.split(/[;,]/)[0], 40)}`;
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  const query = parsed.search ? '?...' : '';
  parsed.search = '';
  return showText(parsed.href, 200) + query;
}

function showObject(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object';
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${showText(name, 40)}`;
}
