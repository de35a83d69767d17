import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** The messages that docs/guides/troubleshooting.md explains: its headings of the third level. */
export const explained = [
  ...readFileSync('docs/guides/troubleshooting.md', 'utf8').matchAll(/^### (.*)$/gm),
].map(([, heading]) => heading);

/** Expects that the guide explains a message. */
export function expectExplained(message: string | undefined): void {
  expect(
    explained.some((heading) => message?.includes(heading)),
    message,
  ).toBe(true);
}
