import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenGenerator } from '../../src/engines/open-generator';
import { generatorHash } from '../../src/features/generator-hash';
import { type Architecture, textureNet } from '../../src/generators';
import { ownBase } from '../../src/generators/base';
import { loadGenerator, openGenerator, saveGenerator } from '../../src/node/generators';
import { trainGenerator } from '../../src/node/train-generator';
import { imageName } from './find-images';
import type { ExperimentProgress } from './progress';
import { fileHash, fingerprint } from './run-record';
import type { FeedForwardId } from './systems';

/** A network that paints pictures in the style of one image, and what its training took. */
export interface Trained {
  /** Of the network and all that its training depended on. */
  readonly fingerprint: string;
  readonly open: OpenGenerator;
  readonly steps: number;
  readonly seconds: number;
}

/** What gives the experiment a network for a style. */
export interface FeedForward {
  /** Of what {@link trained} would give, without training. */
  fingerprint(system: FeedForwardId, style: string): Promise<string>;
  trained(system: FeedForwardId, style: string): Promise<Trained>;
}

/** What is trained from scratch; undefined for this package's base, which is a network of Johnson's kind. */
const architectures: Readonly<Record<FeedForwardId, Architecture | undefined>> = {
  ulyanov: textureNet(),
  johnson: undefined,
};

/** Trains a network for each style that needs one, with as many steps each, and keeps them between calls. */
export class TrainedNetworks implements FeedForward {
  private readonly opened = new Map<string, Trained>();

  constructor(
    private readonly options: {
      readonly folder: string;
      readonly steps: number;
      /** Longer side of the pictures, and of the style in training. */
      readonly size: number;
      readonly weights: string | undefined;
      readonly signal: AbortSignal;
      readonly progress: Pick<ExperimentProgress, 'line' | 'training'>;
    },
  ) {}

  async fingerprint(system: FeedForwardId, style: string): Promise<string> {
    const { steps, size, weights } = this.options;
    const network = architectures[system]?.network;
    const start = network ? 'none' : await generatorHash(ownBase());
    return fingerprint(await fileHash(style), network, start, steps, size, weights ?? 'default');
  }

  async trained(system: FeedForwardId, style: string): Promise<Trained> {
    const key = await this.fingerprint(system, style);
    const found = this.opened.get(key);
    if (found) return found;
    const made = await this.make(system, style, key);
    this.opened.set(key, made);
    return made;
  }

  dispose(): void {
    for (const { open } of this.opened.values()) open.dispose();
    this.opened.clear();
  }

  private async make(system: FeedForwardId, style: string, key: string): Promise<Trained> {
    const { folder, steps, size, weights, signal, progress } = this.options;
    await mkdir(folder, { recursive: true });
    const name = imageName(style);
    const file = join(folder, `${name}--${system}.safetensors`);
    const about = `${file}.json`;
    const kept = await readFile(about, 'utf8').then(
      (text) => JSON.parse(text) as { readonly fingerprint: string; readonly seconds: number },
      () => undefined,
    );
    if (kept?.fingerprint === key) {
      const open = await openGenerator(await loadGenerator(file));
      return { fingerprint: key, open, steps, seconds: kept.seconds };
    }
    const checkpoint = join(folder, `${name}--${system}--${key}.training`);
    progress.line(`training ${system} for the style of ${name}, ${steps} steps`);
    const start = performance.now();
    const generator = await trainGenerator({
      style,
      name,
      architecture: architectures[system],
      steps,
      styleSize: size,
      weights,
      checkpoint,
      signal,
      onProgress: (event) => {
        if (event.type === 'step') progress.training(event);
      },
    });
    const seconds = (performance.now() - start) / 1000;
    await saveGenerator(file, generator);
    await writeFile(about, `${JSON.stringify({ fingerprint: key, steps, seconds }, null, 1)}\n`);
    await rm(checkpoint, { force: true });
    return { fingerprint: key, open: await openGenerator(generator), steps, seconds };
  }
}
