/**
 * Text that is safe to print. Control characters other than line feeds, which a terminal would obey, and invisible
 * format characters of Unicode, which reorder or hide text, become escapes such as `\u001b`. JSON stays valid JSON.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' ? character : [...utf16(character)].map(escaped).join(''),
  );
}

/** {@link printable} with line feeds replaced by spaces. */
export function printableLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, ' '));
}

function* utf16(text: string): Generator<number> {
  for (let i = 0; i < text.length; i++) yield text.charCodeAt(i);
}

const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;
