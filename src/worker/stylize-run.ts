import { InvalidArgumentError } from '../errors';
import type { Generator } from '../features/generator';
import { classNameOf } from '../image/class-name';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import { untilAborted } from '../until-aborted';
import { crossing, release } from './crossing';
import { baseUrl } from './launch';
import { answered, type RunHost } from './style-run';
import type {
  WorkerGenerator,
  WorkerStylizeOptions,
  WorkerStylizeProgress,
  WorkerStylizeResult,
} from './stylize-options';

/** Paints a photograph by a generator on a worker. */
export async function stylizeBy(
  host: RunHost,
  image: ImageInput,
  generator: WorkerGenerator,
  options: WorkerStylizeOptions = {},
): Promise<WorkerStylizeResult> {
  const { signal, onProgress, ...data } = options;
  signal?.throwIfAborted();
  const named = namedGenerator(generator);
  // Now, not when the call's turn comes: what a canvas or a video shows may be another picture by then.
  const { value, transfer } = await crossing({ image, generator: named.generator, options: data }, signal);
  try {
    await untilAborted(signal, host.turn);
  } catch (error) {
    release(transfer);
    throw error;
  }
  const listener = { signal, onProgress };
  return answered<WorkerStylizeResult, WorkerStylizeProgress>(host, listener, () =>
    host.post(
      { type: 'stylize', run: host.run, key: named.key, listens: onProgress !== undefined, ...value },
      transfer,
    ),
  );
}

/** Numbers of the generators of this page. */
const numbers = new WeakMap<object, number>();
let last = 0;

/**
 * A generator as it crosses, with a name by which the worker knows it again. Bytes have none: they may change.
 *
 * @throws InvalidArgumentError `WRONG_TYPE` if it is none
 */
function namedGenerator(generator: WorkerGenerator): {
  readonly key: string | undefined;
  readonly generator: unknown;
} {
  // The rest of it is checked in the worker.
  if ((generator as Partial<Generator> | null)?.kind === 'generator') {
    const number = numbers.get(generator as Generator) ?? ++last;
    numbers.set(generator as Generator, number);
    return { key: String(number), generator };
  }
  const kind = classNameOf(generator);
  if (kind === 'Uint8Array' || kind === 'ArrayBuffer') return { key: undefined, generator };
  if (typeof generator === 'string' || kind === 'URL') {
    try {
      // In a worker from a blob, nothing is relative to the page.
      const { href } = new URL(String(generator), baseUrl());
      return { key: href, generator: href };
    } catch {}
  }
  const accepted =
    'what loadGenerator() or trainGenerator() gives, or the URL or the bytes of a generator file';
  throw new InvalidArgumentError(
    'WRONG_TYPE',
    `generator is ${showValue(generator)}; accepted: ${accepted}.`,
    { option: 'generator', value: generator, accepted },
  );
}
