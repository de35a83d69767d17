/** HTML that needs no escaping any more. */
export class Html {
  constructor(readonly text: string) {}
}

/** Template tag: escapes what is put in, except other HTML; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(strings.reduce((text, part, i) => text + show(values[i - 1]) + part));
}

/** Trusted markup, such as our own SVG. */
export const raw = (text: string): Html => new Html(text);

function show(value: unknown): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(show).join('');
  if (value === undefined || value === null || value === false) return '';
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
