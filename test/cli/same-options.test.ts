import { expect, test } from 'vitest';
import { batchCommandOptions } from '../../src/cli/batch-command';
import { longFlag, type Options } from '../../src/cli/flags';
import { styleOptions } from '../../src/cli/style-options';
import { videoOptions } from '../../src/cli/video-command';

const flagsOf = (options: Options) => Object.values(options).flatMap((option) => longFlag(option) ?? []);

/** Commands that take the options of the one that paints, and those that they lack, with the reason. */
const commands: readonly (readonly [string, Options, Readonly<Record<string, string>>])[] = [
  ['batch', batchCommandOptions, {}],
  [
    'video',
    videoOptions,
    { '--format': 'a film has one format for each extension, and none goes to stdout' },
  ],
];

test.each(commands)('%s takes every option of the command that paints one picture', (_, options, lacking) => {
  const missing = flagsOf(styleOptions).filter((flag) => !flagsOf(options).includes(flag));
  expect(missing).toEqual(Object.keys(lacking));
});
