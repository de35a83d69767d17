import type { ProgressDisplay } from './progress';
import { progressBar } from './progress-bar';
import { progressJson } from './progress-json';
import { progressLines } from './progress-lines';
import type { Terminal } from './terminal';

/** The display for `--quiet` or `--json`; without these, a bar on terminals and lines elsewhere. */
export function displayFor(
  { stderr, env }: Terminal,
  { json = false, quiet = false }: { readonly json?: boolean; readonly quiet?: boolean } = {},
): ProgressDisplay {
  if (quiet) return silence;
  if (json) return progressJson(stderr);
  return stderr.isTTY ? progressBar(stderr, env) : progressLines(stderr);
}

const silence: ProgressDisplay = { show() {}, line() {}, end() {} };
