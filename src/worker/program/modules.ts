import * as tf from '@tensorflow/tfjs-core';
import { loadVgg19 } from '../../engines/load-vgg19';
import { InvalidArgumentError } from '../../errors';
import type { FeatureExtractor } from '../../features/extractor';
import * as losses from '../../losses';
import { showText, showUrl, showValue } from '../../options/show';
import { methodOf } from '../../transfer/replay';
import type { ExtractorModule, LossModule, WorkerLibrary } from '../modules';

const library: WorkerLibrary = { tf, losses, loadVgg19 };

/** Options of runs that name modules. */
export class Modules {
  private extractor: { readonly url: string; readonly made: FeatureExtractor } | undefined;

  /** Options of `styleTransfer` from those that have crossed: with functions in place of addresses and records. */
  async optionsOf(options: object): Promise<object> {
    const { loss, extractor, optimizer, ...rest } = options as Readonly<Record<string, unknown>>;
    return {
      ...rest,
      ...(loss === undefined ? {} : { loss: await this.lossOf(String(loss)) }),
      ...(extractor === undefined ? {} : { extractor: await this.extractorOf(String(extractor)) }),
      ...(optimizer === undefined ? {} : { optimizer: methodOf(optimizer) }),
    };
  }

  private async lossOf(url: string) {
    const make = await defaultExport<LossModule>('loss', url);
    return (targets: Parameters<LossModule>[0]) => make(targets, library);
  }

  private async extractorOf(url: string): Promise<FeatureExtractor> {
    if (this.extractor?.url === url) return this.extractor.made;
    this.extractor?.made.dispose();
    this.extractor = undefined;
    const make = await defaultExport<ExtractorModule>('extractor', url);
    this.extractor = { url, made: await make(library) };
    return this.extractor.made;
  }
}

async function defaultExport<T extends (...args: never[]) => unknown>(
  option: string,
  url: string,
): Promise<T> {
  const accepted = `the URL of a module, whose default export makes the ${option}`;
  let found: unknown;
  try {
    found = ((await import(/* @vite-ignore */ url)) as { default?: unknown }).default;
  } catch (cause) {
    const reason = showText(cause instanceof Error ? cause.message : String(cause), 200);
    throw new InvalidArgumentError(
      'MODULE_FAILED',
      `The module ${showUrl(url)} of the option ${option} cannot be loaded: ${reason}`,
      { option, value: url, accepted, cause },
    );
  }
  if (typeof found === 'function') return found as T;
  throw new InvalidArgumentError(
    'MODULE_FAILED',
    `The default export of ${showUrl(url)} is ${showValue(found)}; accepted: ${accepted}.`,
    { option, value: url, accepted },
  );
}
