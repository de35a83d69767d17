import { InvalidArgumentError } from '../errors';
import { platform } from '../node/platform';
import type { NodeStyleTransferOptions } from '../node/style-transfer';
import { showValue } from '../options/show';
import type { Platform } from '../platform';
import { styleTransferOptions } from '../transfer/options';
import type { StyleTransferProgress } from '../transfer/progress';
import { type StyleTransferResult, styleTransferOn } from '../transfer/style-transfer';
import { startBackend } from './backend';
import { type Destination, dash, destinationOf } from './destination';
import { displayFor } from './display';
import { only } from './flags';
import { interruptible } from './interruptible';
import { printable } from './printable';
import { duration, type ProgressDisplay } from './progress';
import { jsonLine } from './progress-json';
import { readStdin } from './read-stdin';
import { type CommandOptions, commandOptions } from './style-options';
import type { Terminal } from './terminal';

/** The pictures that go into a run, as the command line names them. */
interface Inputs {
  readonly content: string;
  readonly style: string;
}

/** Paints a picture as arguments and flags say. */
export async function paint(
  { content, style }: Inputs,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const { output, format, backend, json, quiet } = commandOptions.read(
    only(commandOptions.options, flags) as CommandOptions,
  );
  const options = only(styleTransferOptions.options, flags) as NodeStyleTransferOptions & {
    readonly init?: string;
  };
  const { init, engine, threads, weights } = options;
  // A start that is a file or stdin is checked where it is read.
  const named = init === undefined || /[./\\]|^-$/.test(init) ? undefined : init;
  styleTransferOptions.read({ ...options, init: named as 'content' | undefined });
  const inputs = { content, style, init };
  requireOneDash(inputs);

  const destination = destinationOf(output, format, inputs, terminal);
  const display = displayFor(terminal, { json, quiet });
  const run: Run = {
    destination,
    display,
    embeddedWanted: weights === 'embedded',
    alert: quiet ? (message) => terminal.stderr.write(printable(`${message}\n`)) : display.line,
    saved: false,
  };
  await destination.prepare();
  try {
    await interruptible(
      terminal,
      async ({ signal, leave, attend }) => {
        const [contentInput, styleInput, start] = await Promise.all(
          Object.entries(inputs).map(async ([name, input]) =>
            input === dash ? readStdin(name, terminal.stdin, signal) : input,
          ),
        );
        const computing = await startBackend(backend, engine, threads);
        // Features of a large style, and the first evaluation, keep the process from hearing anything for seconds.
        const styleTransfer = styleTransferOn(telling(platform, leave));
        const result = await styleTransfer(contentInput ?? content, styleInput ?? style, {
          ...options,
          init: start as NodeStyleTransferOptions['init'],
          threads: computing.threads,
          signal,
          onProgress(event) {
            // From here on there is a picture to be saved.
            if (event.type === 'step') attend();
            return onProgress(run, event);
          },
        });
        display.end();
        try {
          run.saved = true;
          await destination.save(result.image);
          await report(result, computing.tfjsThreads, { output, json, quiet }, terminal);
        } finally {
          result.dispose();
        }
      },
      () => display.line('stopping; a second request ends at once'),
    );
  } catch (error) {
    if (!run.saved) await destination.abandon();
    throw error;
  } finally {
    display.end();
  }
}

/** What is known of a run while it goes on. */
interface Run {
  readonly destination: Destination;
  readonly display: ProgressDisplay;
  /** Says what must not be missed, also where progress is not shown. */
  readonly alert: (message: string) => void;
  /** Whether the network that comes with the package is what was asked for. */
  readonly embeddedWanted: boolean;
  /** Whether a picture has been written. */
  saved: boolean;
}

/** A platform that calls `onDecoded` when every image that was opened has been decoded. */
function telling<Input>(platform: Platform<Input>, onDecoded: () => void): Platform<Input> {
  let left = 0;
  return {
    ...platform,
    async open(...args) {
      const opened = await platform.open(...args);
      left++;
      return {
        ...opened,
        async decode(size) {
          const image = await opened.decode(size);
          left--;
          if (left === 0) onDecoded();
          return image;
        },
      };
    },
  };
}

/** Throws if several pictures are to come from stdin. */
function requireOneDash(inputs: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(inputs).filter((name) => inputs[name] === dash);
  if (names.length <= 1) return;
  const accepted = `one ${showValue(dash)}`;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${names.join(' and ')} are all ${showValue(dash)}, and stdin holds one picture; accepted: ${accepted}.`,
    { option: names[1], value: dash, accepted },
  );
}

async function onProgress(run: Run, event: StyleTransferProgress): Promise<void> {
  const { destination, display, alert, embeddedWanted } = run;
  display.show(event);
  if (event.type === 'start' && event.embedded && !embeddedWanted) display.line(embeddedNotice);
  if (event.type !== 'interrupted' || event.evaluations === 0) return;
  const image = event.image();
  try {
    run.saved = true;
    await destination.save(image);
    const state = `loss ${event.loss.toPrecision(5)} after ${event.evaluations} evaluations`;
    display.line(`saved the picture so far: ${destination.name}, ${state}`);
  } catch (error) {
    // The run is reported to have ended with what ended it.
    alert(`the picture so far could not be saved: ${(error as Error).message}`);
  } finally {
    image.dispose();
  }
}

const embeddedNotice =
  'No VGG-19 weights were found, so the small network that comes with this package is used, with simpler strokes; to get VGG-19: tfjs-style-transfer weights fetch';

/** Says what was made: on stdout, or on stderr where stdout holds the picture. */
async function report(
  result: StyleTransferResult,
  tfjsThreads: number | undefined,
  { output, json, quiet }: { readonly output: string; readonly json: boolean; readonly quiet: boolean },
  { stdout, stderr }: Terminal,
): Promise<void> {
  const threads = result.threads ?? tfjsThreads;
  const where = output === dash ? stderr : stdout;
  if (json)
    where.write(
      jsonLine({ ...(output === dash && { type: 'result' }), ...summary(result, output, threads) }),
    );
  else if (!quiet) where.write(printable(describe(result, output, threads)));
}

/** What `--json` prints. */
function summary(result: StyleTransferResult, output: string, threads: number | undefined) {
  const { image, history: _, dispose: __, ...rest } = result;
  const [height, width] = image.shape;
  return { output, width, height, ...rest, threads };
}

function describe(
  { image, loss, iterations, evaluations, elapsedMs, weights }: StyleTransferResult,
  output: string,
  threads: number | undefined,
): string {
  const [height, width] = image.shape;
  const computing = threads === undefined ? '' : `${threads} ${threads === 1 ? 'thread' : 'threads'}, `;
  const work = `${iterations} iterations, ${evaluations} evaluations, ${duration(elapsedMs / 1000)}`;
  return `${output}: ${width}x${height}, loss ${loss.toPrecision(5)} after ${work}, ${computing}${weights}\n`;
}
