/** A program that hears the first request to stop and is then busy for ever, deaf to everything. */
import { processTerminal } from '../../src/cli/terminal';

const { stderr, onStop } = processTerminal();
const alive = setInterval(() => {}, 1000);
onStop((signal) => {
  stderr.write(`heard ${signal}\n`);
  setTimeout(() => {
    stderr.write('busy\n');
    for (;;) alive.hasRef();
  }, 400);
});
stderr.write('ready\n');
