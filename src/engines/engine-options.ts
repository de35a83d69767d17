import { EnvironmentError, InvalidArgumentError } from '../errors';
import type { Option } from '../options/table';
import { requireName } from '../options/validate';
import type { WeightsWarning } from '../storage/progress';
import type { Engine } from './engine';
import { type EngineName, engineMakers, engineNames } from './list';
import { relaxedSimdOption, threadsOption, type WasmEngineOptions } from './wasm/options';

/** The choice of the engine, in `loadVgg19`, `styleTransfer` and the command. */
export interface EngineOptions {
  /**
   * An engine, or the name of one. `'auto'` chooses this library's own kernels if tfjs computes on the processor
   * (backends wasm and cpu) or by WebGPU, else tfjs operations. Where WebGPU has no GPU and computes in software, calls
   * that take images go on by the wasm backend, which is many times faster, with the warning `BACKEND_REPLACED`.
   * @default 'auto'
   */
  readonly engine?: EngineChoice | undefined;
  /** As in {@link WasmEngineOptions}; not beside an engine that is given as a value. */
  readonly threads?: number | undefined;
  /** As in {@link WasmEngineOptions}; not beside an engine that is given as a value. */
  readonly relaxedSimd?: boolean | undefined;
}

/** Values of the option `engine`. */
export type EngineChoice = 'auto' | EngineName | Engine;

/**
 * What a call does about WebGPU in software: it leaves it, if the engine is chosen for it and no tensors are there that
 * it was given.
 */
export const ifSoftware = (engine: EngineChoice = 'auto', hasTensors = false): 'leave' | undefined =>
  engine === 'auto' && !hasTensors ? 'leave' : undefined;

/** Names that the option `engine` accepts. */
export const engineChoices = ['auto', ...engineNames] as const;

/** Rows of {@link EngineOptions} for the option tables of functions that take them. */
export const engineOptions = {
  engine: {
    accepts: engineChoices,
    require(name: string, value: unknown) {
      if (!isEngine(value)) requireName(name, value, engineChoices);
    },
    default: 'auto',
    help: `what computes the network: ${engineChoices.join(', ')}`,
    flag: '--engine <name>',
  } satisfies Option<EngineChoice>,
  threads: threadsOption,
  relaxedSimd: relaxedSimdOption,
};

/**
 * The engines that may compute, the preferred one first: one alone where it was chosen, several under `'auto'`, of
 * which only those with threads of their own are left where more than one thread was asked for.
 *
 * @param backend the tfjs backend that is or will be active; undefined where that is not known yet
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS` for options that the engine would ignore
 * @throws EnvironmentError if an engine was chosen that does not run here, or the only one with threads does not
 */
export function enginesFor(
  { engine = 'auto', threads, relaxedSimd }: EngineOptions,
  backend: string | undefined,
): readonly Engine[] {
  const ofWasm: WasmEngineOptions = { threads, relaxedSimd };
  if (engine === 'auto') {
    const all = suitableEngines(ofWasm, backend);
    const engines = all.filter((one) => one.unsupported() === undefined);
    if (threads === undefined || threads === 1 || !backend) return engines;
    const threaded = engines.filter(({ name }) => name === 'wasm');
    if (threaded.length > 0) return threaded;
    throw withoutThreads(threads, backend, all.find(({ name }) => name === 'wasm')?.unsupported());
  }
  if (engine !== 'wasm') refuse(engine, { threads, relaxedSimd: relaxedSimd || undefined });
  const chosen = typeof engine === 'string' ? engineOf(engine, ofWasm) : engine;
  const missing = chosen.unsupported();
  if (missing === undefined) return [chosen];
  const accepted = `${missing}, or engine 'auto'`;
  throw new EnvironmentError(
    chosen.unsupportedCode ?? 'ENGINE_UNSUPPORTED',
    `engine is '${chosen.name}', which needs ${accepted}.`,
    { option: 'engine', value: chosen.name, accepted },
  );
}

/**
 * Says why an engine that `'auto'` would prefer does not compute, where there is one.
 *
 * @param backend the active tfjs backend
 * @param chosen the engine that `'auto'` chooses
 */
export function passedOver(backend: string, chosen: Engine): WeightsWarning | undefined {
  const preferred = suitableEngines({}, backend).find((one) => one.unsupported() !== undefined);
  if (!preferred) return undefined;
  const message = `Engine '${chosen.name}' computes in place of '${preferred.name}', which needs ${preferred.unsupported()}.`;
  return { code: 'ENGINE_UNAVAILABLE', message };
}

/** The engines that suit a backend, whether they run here or not. */
const suitableEngines = (ofWasm: WasmEngineOptions, backend: string | undefined): readonly Engine[] =>
  engineNames.map((name) => engineOf(name, ofWasm)).filter((one) => one.suits(backend ?? ''));

/** The error for a number of threads where the engine that has threads cannot compute. */
function withoutThreads(threads: number, backend: string, missing: string | undefined): EnvironmentError {
  const accepted = missing ?? "the backends wasm and cpu, engine 'wasm', or threads left out";
  const reason = missing === undefined ? `not the one for the backend ${backend}` : `which needs ${missing}`;
  return new EnvironmentError(
    'THREADS_UNAVAILABLE',
    `threads is ${threads}, and only engine 'wasm' has threads, ${reason}; accepted: ${accepted}.`,
    { option: 'threads', value: threads, accepted },
  );
}

const engineOf = (name: EngineName, ofWasm: WasmEngineOptions): Engine =>
  name === 'wasm' ? engineMakers.wasm(ofWasm) : engineMakers[name]();

/** Throws if an option of the wasm engine is given together with an engine that ignores it. */
function refuse(engine: EngineName | Engine, options: Readonly<Record<string, unknown>>): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const [name, accepted] =
      typeof engine === 'string'
        ? [`'${engine}'`, "engine 'auto' or 'wasm'"]
        : ['an engine', `the option of the engine itself: wasm({ ${option} })`];
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `${option} has no effect where engine is ${name}; accepted: ${accepted}.`,
      { option, value, accepted },
    );
  }
}

function isEngine(value: unknown): value is Engine {
  if (typeof value !== 'object' || value === null) return false;
  const { name, unsupported, suits, load } = value as Partial<Engine>;
  return typeof name === 'string' && [unsupported, suits, load].every((part) => typeof part === 'function');
}

/** A loaded extractor beside the options of loading one, which would have no effect. */
export const extractorConflict = {
  option: 'extractor',
  replaces: ['weights', 'padding', 'engine', 'threads', 'relaxedSimd'],
  because: 'the extractor has been loaded already',
} as const;
