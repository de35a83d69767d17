import { EnvironmentError, InvalidArgumentError } from '../errors';
import type { Option } from '../options/table';
import { requireName } from '../options/validate';
import type { Engine } from './engine';
import { type EngineName, engineMakers, engineNames } from './list';
import { relaxedSimdOption, threadsOption, type WasmEngineOptions } from './wasm/options';

/** The choice of the engine, in `loadVgg19`, `styleTransfer` and the command. */
export interface EngineOptions {
  /**
   * An engine, or the name of one. `'auto'` chooses this library's own kernels if tfjs computes on the processor
   * (backends wasm and cpu), else tfjs operations. @default 'auto'
   */
  readonly engine?: EngineChoice | undefined;
  /** As in {@link WasmEngineOptions}; not beside an engine that is given as a value. */
  readonly threads?: number | undefined;
  /** As in {@link WasmEngineOptions}; not beside an engine that is given as a value. */
  readonly relaxedSimd?: boolean | undefined;
}

/** Values of the option `engine`. */
export type EngineChoice = 'auto' | EngineName | Engine;

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
 * The engines that may compute, the preferred one first: one alone where it was chosen, several under `'auto'`.
 *
 * @param backend the tfjs backend that is or will be active
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS` for options that the engine would ignore
 * @throws EnvironmentError if an engine was chosen that does not run here
 */
export function enginesFor(
  { engine = 'auto', threads, relaxedSimd }: EngineOptions,
  backend: string,
): readonly Engine[] {
  const ofWasm: WasmEngineOptions = { threads, relaxedSimd };
  if (engine === 'auto') {
    const all = engineNames.map((name) => engineOf(name, ofWasm));
    return all.filter((one) => one.unsupported() === undefined && one.suits(backend));
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

const engineOf = (name: EngineName, ofWasm: WasmEngineOptions): Engine =>
  name === 'wasm' ? engineMakers.wasm(ofWasm) : engineMakers[name]();

/** Throws if an option of the wasm engine is given together with an engine that ignores it. */
function refuse(engine: 'tfjs' | Engine, options: Readonly<Record<string, unknown>>): void {
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
