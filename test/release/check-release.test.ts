import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { version } from '../../package.json';

const check = (tag: string) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'scripts/check-release.ts', tag], { encoding: 'utf8' });

it('a release needs a tag, a version and a dated section of CHANGELOG.md that agree', () => {
  expect(check(`v${version}`)).toMatchObject({ status: 0, stderr: '' });
  expect(check('v99.0.0')).toMatchObject({
    status: 1,
    stderr: `the tag is v99.0.0, package.json says ${version}\n`,
  });
});
