#!/usr/bin/env node
import { isatty } from 'node:tty';
import { runCommandLine } from './command-line';
import { signalOf } from './exit-codes';

const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
const exitCode = await runCommandLine(process.argv.slice(2));
process.exitCode = exitCode;

const signal = signalOf(exitCode);
// Node resets its terminal when it exits, and crashes with SIGABRT if the terminal has been closed. A signal ends it
// without that.
if (signal === 'SIGHUP' && onTerminal) process.kill(process.pid, signal);
// A blocked system call in one of Node's threads keeps the process alive, and process.exit() waits for that thread too.
// The default action of the signal does not.
else if (signal) setTimeout(() => process.kill(process.pid, signal), 500).unref();
