import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, longest first, whichever project they are of. Vitest knows durations from the run before,
 * which a fresh clone does not have, and runs one project after another: without this order the last file runs alone
 * for minutes.
 */
const longest = [
  'test/docs/samples.test.ts',
  'test/engines/webgpu/webgpu.test.ts',
  'test/package/queue.test.ts',
  'test/package/toolchains.test.ts',
  'test/pages/readme-sample.test.ts',
  'test/examples/server-load.test.ts',
  'test/pages/demo-page.test.ts',
  'test/pages/webgpu.test.ts',
  'test/pages/gpu.test.ts',
  'test/engines/webgpu/terms.test.ts',
  'test/generators/training/train-generator.test.ts',
  'test/pages/guide.test.ts',
  'test/pages/worker.test.ts',
  'test/pages/engines.test.ts',
  'test/engines/tiles.test.ts',
  'test/batch/kills.test.ts',
  'test/engines/webgpu/faults.test.ts',
  'test/node/train-generator.test.ts',
  'test/cli/train-command.test.ts',
  'test/worker/style-worker.test.ts',
  'test/losses/reference.test.ts',
  'test/engines/wasm/memory.test.ts',
  'test/cli/video-command.test.ts',
  'test/transfer/regions.test.ts',
  'test/transfer/tiles.test.ts',
  'test/transfer/balance.test.ts',
];

/** Runs the files that take longest first, so that all workers end together. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(relative(root, moduleId).replaceAll('\\', '/'));
      return at < 0 ? longest.length : at;
    };
    // The sort is stable: the rest stays in vitest's order.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
