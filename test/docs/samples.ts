import { readdirSync, readFileSync } from 'node:fs';

/** A fenced block of a Markdown file. */
export interface Sample {
  readonly file: string;
  /** Line of the first line of code. */
  readonly line: number;
  /**
   * Text after the fence: `ts`, or `ts page` and `ts network` for samples that need these and are only type-checked;
   * those of the guide "In the page" run in `test/pages/guide.test.ts`;
   * `ts source` for a program over the sources of this repository, `ts assembly` for a kernel.
   */
  readonly language: string;
  readonly code: string;
}

/** Every fenced block of README.md and the guides. */
export function samples(): Sample[] {
  const guides = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.md') && !name.startsWith('api'),
  );
  const files = ['README.md', 'CONTRIBUTING.md', ...guides.sort().map((name) => `docs/${name}`)];
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([block, language, code]) => {
      const before = text.slice(0, text.indexOf(block));
      return { file, line: before.split('\n').length + 1, language: language.trim(), code };
    });
  });
}
