/**
 * Text as a terminal may get it: control characters other than line feeds, which it would obey, and Unicode's invisible ones, which
 * make one text look like another, as `\u001b`. JSON stays JSON.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' ? character : [...utf16(character)].map(escaped).join(''),
  );
}

/** {@link printable} on one line. */
export function printableLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, ' '));
}

function* utf16(text: string): Generator<number> {
  for (let i = 0; i < text.length; i++) yield text.charCodeAt(i);
}

const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;
