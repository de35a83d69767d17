#!/usr/bin/env node
import { isatty } from 'node:tty';
import { runCommandLine } from './command-line';
import { signalOf } from './exit-codes';

const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
const exitCode = await runCommandLine(process.argv.slice(2));
process.exitCode = exitCode;

const signal = signalOf(exitCode);
// Node restores the settings of its terminal as it exits, and crashes (SIGABRT) where that is gone.
if (signal === 'SIGHUP' && onTerminal) process.kill(process.pid, signal);
// Work that does not hear an abort, such as opening a pipe that nobody writes to, keeps the process alive; process.exit() would wait
// for its thread too. The system's own handling of the signal does not.
else if (signal) setTimeout(() => process.kill(process.pid, signal), 500).unref();
