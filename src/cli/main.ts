#!/usr/bin/env node
import { runCommandLine } from './command-line';
import { signalOf } from './exit-codes';

const exitCode = await runCommandLine(process.argv.slice(2));
process.exitCode = exitCode;

// Work that does not hear an abort, such as opening a pipe that nobody writes to, keeps the process alive; process.exit() would wait
// for its thread too. The system's own handling of the signal does not.
const signal = signalOf(exitCode);
if (signal) setTimeout(() => process.kill(process.pid, signal), 500).unref();
