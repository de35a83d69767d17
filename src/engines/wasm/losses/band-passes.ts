import type { Band } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import type { Blocks } from '../blocks';
import type { Network } from '../network/network';
import { type ComputedStage, Pass } from '../network/pass';
import { halvingsOf, type KeptMaps, planPass } from '../network/pass-plan';
import { keptMaps, type ObjectiveRequest, passesOf, type Tiling } from './tiling';

/** The two passes of an objective over each of its bands. */
export class BandPasses {
  /** Address of the memory that passes take turns in. */
  readonly room: number;
  private readonly first: readonly Pass[];
  private readonly second: readonly Pass[];
  /** Addresses of the maps that are kept whole, by stage. */
  private readonly kept: readonly KeptMaps[];

  /** @param blocks owns the memory */
  constructor(
    private readonly network: Network,
    private readonly size: Size,
    private readonly bands: readonly Band[],
    request: ObjectiveRequest,
    tiling: Tiling,
    blocks: Blocks,
  ) {
    const width = size[1];
    const alone = bands.length === 1;
    const passes = passesOf(network, request, tiling, alone);
    const heights = bands.map(({ rows }) => rows.to - rows.from);
    this.room = blocks.allocate(
      Math.max(
        ...[...new Set(heights)].flatMap((height) =>
          Object.values(passes).map((options) => planPass(network, height, width, options).bytes),
        ),
      ),
    );
    const kept: KeptMaps[] = [];
    for (const { stage, output, pooled } of alone ? [] : keptMaps(network, size, request.layers, tiling))
      kept[stage] = {
        output: blocks.allocateFloats(output),
        pooled: pooled && blocks.allocateFloats(pooled),
      };
    this.kept = kept;
    const passOf = (k: number, options: typeof passes.first) =>
      new Pass(network, heights[k], width, options, { address: this.room, kept: this.keptFor(bands[k]) });
    this.second = bands.map((_, k) => passOf(k, passes.second));
    // With one band, the second pass goes on with what the first one has left.
    this.first = alone ? this.second : bands.map((_, k) => passOf(k, passes.first));
  }

  /** The pass that gives every map of a band. */
  firstOf(k: number): Pass {
    return this.first[k];
  }

  /** The pass that goes back; it computes again what was not kept. */
  secondOf(k: number): Pass {
    return this.second[k];
  }

  /** Copies the rows of a stage that a band owns to where they are kept, if they are. */
  keep(k: number, { stage, channels, ...maps }: ComputedStage): void {
    const { memory } = this.network.engine;
    const to = this.kept[stage];
    if (!to) return;
    const halvings = halvingsOf(this.network, stage);
    for (const [part, poolings] of [['output', halvings] as const, ['pooled', halvings + 1] as const]) {
      if (!to[part]) continue;
      const floats = (this.size[1] >> poolings) * channels;
      const { from, to: end } = this.bands[k].ownedAfter(poolings);
      const first = this.bands[k].rows.from >> poolings;
      memory
        .floats(to[part] + 4 * (first + from) * floats, (end - from) * floats)
        .set(memory.floats(maps[part] + 4 * from * floats, (end - from) * floats));
    }
  }

  /** Addresses of a band's first rows in the maps that are kept. */
  private keptFor({ rows }: Band): KeptMaps[] {
    const { network, kept } = this;
    return kept.map(({ output, pooled }, stage) => {
      const halvings = halvingsOf(network, stage);
      const rowOf = (poolings: number) =>
        4 * (rows.from >> poolings) * (this.size[1] >> poolings) * network.stages[stage].channelsOut;
      return { output: output + rowOf(halvings), pooled: pooled && pooled + rowOf(halvings + 1) };
    });
  }
}
