import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { batchCommandOptions } from '../../src/cli/batch-command';
import { convertOptions } from '../../src/cli/convert-command';
import { evaluateOptions } from '../../src/cli/evaluate-command';
import { exitCodes } from '../../src/cli/exit-codes';
import { about, type Options } from '../../src/cli/flags';
import { styleFileOptions } from '../../src/cli/style-file-command';
import { styleOptions } from '../../src/cli/style-options';
import { stylizeCommandOptions } from '../../src/cli/stylize-command';
import { sweepOptions } from '../../src/cli/sweep-command';
import { trainOptions } from '../../src/cli/train-command';
import { videoOptions } from '../../src/cli/video-command';
import { weightsOptions } from '../../src/cli/weights-command';
import { workCommandOptions } from '../../src/cli/work-command';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';

const page = resolve('docs/command-line.md');
const path = pictureFolder();

/** The options of a command as a table in Markdown. */
function tableOf(options: Options): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.values(options).flatMap((option) => {
    if (option.flag === undefined) return [];
    const { text, accepts, standard } = about(option);
    return [`| \`${option.flag}\` | ${[text, accepts, standard].map(cell).join(' | ')} |`];
  });
  return ['| flag | what it is | accepted | default |', '|---|---|---|---|', ...rows].join('\n');
}

describe('docs/command-line.md', () => {
  // `npx vitest run --project node test/cli/documentation.test.ts -u` writes the tables anew.
  test('has the flags as the option tables have them', async () => {
    let text = await readFile(page, 'utf8');
    const tables = {
      options: styleOptions,
      evaluate: evaluateOptions,
      weights: weightsOptions,
      style: styleFileOptions,
      sweep: sweepOptions,
      video: videoOptions,
      train: trainOptions,
      stylize: stylizeCommandOptions,
      batch: batchCommandOptions,
      convert: convertOptions,
      work: workCommandOptions,
    };
    for (const [name, options] of Object.entries<Options>(tables)) {
      const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
      expect(text).toMatch(section);
      text = text.replace(section, (_, start: string, end: string) => `${start}${tableOf(options)}\n${end}`);
    }
    await expect(text).toMatchFileSnapshot(page);
  });

  test('has every exit code', async () => {
    const text = await readFile(page, 'utf8');
    const rows = [...text.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes]) =>
      codes.split(', ').map(Number),
    );
    expect(rows.sort((a, b) => a - b)).toEqual(Object.values(exitCodes).sort((a, b) => a - b));
  });

  test('has every field of every event that --json prints', async () => {
    const text = await readFile(page, 'utf8');
    const fields = new Map(
      [...text.matchAll(/^\| `(\w+)` \| ([^|]*) \| [^|]* \|$/gm)].map(([, type, names]) => [
        type,
        [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      ]),
    );
    const long = fakeTerminal();
    const { write } = long.terminal.stderr;
    long.terminal.stderr.write = (line) => {
      write(line);
      if (line.includes('"iteration":2')) long.stop();
    };
    const styleMaking = ['--weights', 'embedded', '--size', '32', '--json'];
    const args = [path('content.png'), path('style.jpg'), ...quick, '--json', '-o'];
    await runCommand(['weights', 'convert', 'embedded', path('converted')]);
    const runs = [
      await runCommand([...args, path('out.png')]),
      await runCommand([...args, path('out.png'), '--iterations', '1000'], long),
      await runCommand([...args, path('out.png'), '--alpha', '-1']),
      await runCommand([...args, path('out.png'), '--weights', path('converted')]),
      await runCommand(['style', 'make', path('style.jpg'), ...styleMaking, '-o', path('a.safetensors')]),
    ];
    const events = runs.flatMap(({ stderr }) => stderr.trimEnd().split('\n')).map((line) => JSON.parse(line));
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['start', 'step', 'notice', 'interrupted', 'error', 'weights', 'style']),
    );
    for (const { type, ...event } of events)
      expect(fields.get(type)).toEqual(expect.arrayContaining(Object.keys(event)));
    const example = /^```json\n([\s\S]*?)```/m.exec(text)?.[1] ?? '';
    expect(Object.keys(JSON.parse(example))).toEqual(Object.keys(JSON.parse(runs[0].stdout)));
  });
});
