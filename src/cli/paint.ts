import { platform } from '../node/platform';
import { readRecord } from '../node/read-settings-record';
import { backendOf, startBackend } from '../node/start-backend';
import type { NodeStyleTransferOptions } from '../node/style-transfer';
import type { Platform } from '../platform';
import { styleTransferOptions } from '../transfer/options';
import type { StyleTransferProgress } from '../transfer/progress';
import type { Region } from '../transfer/regions';
import type { SettingsRecord } from '../transfer/settings-record';
import { type StyleTransferResult, styleTransferOn } from '../transfer/style-transfer';
import { type Destination, destinationOf } from './destination';
import { displayFor } from './display';
import { inFlags, only } from './flags';
import { interruptible } from './interruptible';
import { printable } from './printable';
import { duration, type ProgressDisplay } from './progress';
import { jsonLine } from './progress-json';
import { dash, fileOrStdin, requireOneDash } from './read-stdin';
import { deliverResult } from './result';
import { namedStyles, requireWeightEach, styleArgument } from './style-arguments';
import { type CommandOptions, commandOptions, styleOptions } from './style-options';
import type { Terminal } from './terminal';

/** The pictures that go into a run, as the command line names them. */
interface Inputs {
  readonly content: string;
  readonly styles: readonly string[];
}

/** Options of `styleTransfer` as they are typed: files by their names. */
type TypedOptions = Omit<NodeStyleTransferOptions, 'settings'> & {
  readonly init?: string;
  readonly settings?: string;
};

/** Paints a picture as arguments and flags say. */
export async function paint(
  { content, styles }: Inputs,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const given = only(commandOptions.options, flags) as CommandOptions;
  const { output, format, styleWeights, json, quiet } = commandOptions.read(given);
  const { settings: file, ...options } = only(styleTransferOptions.options, flags) as TypedOptions;
  const settings = file === undefined ? undefined : await readRecord('settings', file);
  const backend = backendOf(given.backend, settings);
  const { init, threads } = options;
  const { engine, weights } = { ...settings?.options, ...options };
  // A start that is a file or stdin is checked when it is read.
  const named = init === undefined || /[./\\]|^-$/.test(init) ? undefined : init;
  const { regions, ...others } = options;
  styleTransferOptions.read({
    ...others,
    settings,
    init: named as 'content' | undefined,
    // Paths of masks, which are checked when they are read.
    regions: regions as readonly Region[] | undefined,
  });
  const inputs = { content, ...namedStyles(styles), init };
  requireOneDash(inputs);
  requireWeightEach(styles, styleWeights);

  const destination = destinationOf(output, format, { ...inputs, settings: file }, terminal);
  const display = displayFor(terminal, { json, quiet });
  const run: Run = {
    destination,
    display,
    embeddedWanted: weights === 'embedded',
    alert: quiet ? (message) => terminal.stderr.write(printable(`${message}\n`)) : display.line,
  };
  await destination.prepare();
  try {
    await interruptible(
      terminal,
      async ({ signal, leave, attend }) => {
        const read = (name: string, input: string) => fileOrStdin(name, input, terminal.stdin, signal);
        const contentInput = await read('content', content);
        const style = await styleArgument(styles, styleWeights ?? recordedWeights(settings, styles), read);
        const start = init === undefined ? undefined : await read('init', init);
        const computing = await startBackend(backend, engine, threads);
        // The targets of a large style and the first evaluation are synchronous work of many seconds.
        const styleTransfer = styleTransferOn(telling(platform, leave));
        const result = await styleTransfer(contentInput, style, {
          ...options,
          settings,
          init: start as NodeStyleTransferOptions['init'],
          threads: computing.threads,
          signal,
          onProgress(event) {
            // From now on there is a picture to save.
            if (event.type === 'step') attend();
            return onProgress(run, worded(event));
          },
        });
        display.end();
        try {
          await destination.save(result.image, result.settings);
          await report(result, computing.tfjsThreads, { output, json, quiet }, terminal);
        } finally {
          result.dispose();
        }
      },
      () => display.line('stopping; a second request ends at once'),
    );
  } finally {
    display.end();
  }
}

/** The weights of a record, if it is of as many styles. */
function recordedWeights(
  settings: SettingsRecord | undefined,
  { length }: readonly string[],
): readonly number[] | undefined {
  return settings?.styles.length === length ? settings.styles.map(({ weight }) => weight) : undefined;
}

/** A run in progress. */
interface Run {
  readonly destination: Destination;
  readonly display: ProgressDisplay;
  /** Prints a message that `--quiet` does not suppress. */
  readonly alert: (message: string) => void;
  /** Whether the user asked for the network that comes with the package. */
  readonly embeddedWanted: boolean;
}

/** A platform that calls `onDecoded` once all images that were opened are decoded. */
function telling<Input>(platform: Platform<Input>, onDecoded: () => void): Platform<Input> {
  let left = 0;
  return {
    ...platform,
    async open(...args) {
      const opened = await platform.open(...args);
      // Masks are looked at before, and decoded again in each stage.
      if (args[3] === 'mask') return opened;
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

/** An event with flags in place of options in the message of a warning. */
function worded(event: StyleTransferProgress): StyleTransferProgress {
  return event.type === 'warning' ? { ...event, message: inFlags(event.message, styleOptions) } : event;
}

async function onProgress(run: Run, event: StyleTransferProgress): Promise<void> {
  const { destination, display, alert, embeddedWanted } = run;
  display.show(event);
  if (event.type === 'start' && event.embedded && !embeddedWanted) display.line(embeddedNotice);
  if (event.type !== 'interrupted' || event.evaluations === 0) return;
  const image = event.image();
  try {
    await destination.save(image);
    const state = `loss ${event.loss.toPrecision(5)} after ${event.evaluations} evaluations`;
    display.line(`saved the picture so far: ${destination.name}, ${state}`);
  } catch (error) {
    // Not thrown: the run rejects with the reason of its end, which is printed as the error.
    alert(`the picture so far could not be saved: ${(error as Error).message}`);
  } finally {
    image.dispose();
  }
}

/** What is said where the embedded network was not asked for. */
export const embeddedNotice =
  'No VGG-19 weights were found, so the small network that comes with this package is used, with simpler strokes; ' +
  'to get VGG-19: tfjs-style-transfer weights fetch';

/**
 * Prints the result on stdout, or on stderr if the picture goes to stdout.
 *
 * @throws EnvironmentError `NOT_WRITABLE` if `--json` asks for the result and stdout cannot take it; the picture is
 *   saved all the same
 */
async function report(
  result: StyleTransferResult,
  tfjsThreads: number | undefined,
  { output, json, quiet }: { readonly output: string; readonly json: boolean; readonly quiet: boolean },
  terminal: Terminal,
): Promise<void> {
  const { stdout, stderr } = terminal;
  const threads = result.threads ?? tfjsThreads;
  if (json && output === dash)
    stderr.write(jsonLine({ type: 'result', ...summary(result, output, threads) }));
  else if (json) await deliverResult(terminal, jsonLine(summary(result, output, threads)));
  else if (!quiet) (output === dash ? stderr : stdout).write(printable(describe(result, output, threads)));
}

/** The object that `--json` prints. */
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
