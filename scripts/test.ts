import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm test`: everything that has to be true before a change lands. Checks come first and each prints only if it fails;
 * the tests come last. The last line counts both.
 */
const checks: readonly (readonly [name: string, command: string])[] = [
  ['kernels', 'npm run --silent build:kernels'],
  ['build', 'npm run --silent build'],
  ['types', 'npm run --silent typecheck'],
  ['lint', 'npm run --silent lint'],
  ['arrows', 'npm run --silent check:arrows'],
  ['columns', 'npm run --silent check:columns'],
  ['package', 'npm run --silent check:package'],
  ['API reference', 'npm run --silent docs'],
];

let [passed, failed] = [0, 0];
for (const [name, command] of checks) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8', timeout: 600_000 });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s): ${command}`);
  if (status === 0) passed++;
  else {
    failed++;
    console.log(stdout, stderr);
  }
}

const report = join(tmpdir(), `vitest-${process.pid}.json`);
spawnSync(`npx vitest run --reporter=default --reporter=json --outputFile.json=${report}`, {
  shell: true,
  stdio: 'inherit',
  // A test has its own limit; this one is for what keeps the whole run from ending.
  timeout: 23 * 60_000,
});
const tests = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
rmSync(report);
// A file that does not load counts no test, so files that failed without one count themselves.
const brokenFiles = tests.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);
passed += tests.numPassedTests;
failed += tests.numFailedTests + brokenFiles.length;
console.log(`${passed} passed, ${failed} failed, ${tests.numPendingTests} skipped`);
process.exitCode = failed === 0 && passed > checks.length ? 0 : 1;

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}
