import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm test`: everything that has to be true before a change lands. Checks come first and each prints only if it fails;
 * the tests come last. The last line counts both.
 */
const kernels = ['kernels', 'npm run --silent build:kernels'] as const;
/** Two rows of checks, which run side by side: a compiler of TypeScript uses one core. */
const checks = [
  [
    ['build', 'npm run --silent build'],
    ['package', 'npm run --silent check:package'],
  ],
  [
    ['types', 'npm run --silent typecheck'],
    ['lint', 'npm run --silent lint'],
    ['arrows', 'npm run --silent check:arrows'],
    ['columns', 'npm run --silent check:columns'],
    ['API reference', 'npm run --silent docs'],
  ],
] as const;

let [passed, failed] = [0, 0];
await check(kernels);
await Promise.all(
  checks.map(async (row) => {
    for (const one of row) await check(one);
  }),
);

/** Runs a check; what it prints is shown only if it fails. */
async function check([name, command]: readonly [name: string, command: string]): Promise<void> {
  const start = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s): ${command}`);
  if (code === 0) passed++;
  else {
    failed++;
    console.log(output);
  }
}

function run(command: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, { shell: true, timeout: 600_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** A test has its own limit; this one is for what keeps the whole run from ending. */
const limitMinutes = 23;
const report = join(tmpdir(), `vitest-${process.pid}.json`);
spawnSync(`npx vitest run --reporter=default --reporter=json --outputFile.json=${report}`, {
  shell: true,
  stdio: 'inherit',
  timeout: limitMinutes * 60_000,
});
if (existsSync(report)) {
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
} else {
  failed++;
  console.log(`The tests did not end in ${limitMinutes} minutes: a file whose line is missing above hangs.`);
  console.log(`${passed} passed, ${failed} failed`);
}
process.exitCode = failed === 0 && passed > checks.flat().length + 1 ? 0 : 1;

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
