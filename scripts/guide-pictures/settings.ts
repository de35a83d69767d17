import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { gridOf, readAxes } from '../../src/cli/sweep/grid.ts';
import { runSweep, sheetName } from '../../src/cli/sweep/run-sweep.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Two presets at three ratios of effort: the contact sheet of a sweep. */
export async function settings(): Promise<Sharp> {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  try {
    await runSweep(
      {
        grid: gridOf(readAxes(['preset=li2021,gatys2016', 'beta=3,30,300'])),
        title: '',
        folder,
        content: `${images}/content.jpg`,
        style: `${images}/style.jpg`,
        metricStyle: undefined,
        options: {
          balance: 'initial',
          size: 256,
          styleSize: 256,
          scales: [{ size: 128 }, { size: 256 }],
          iterations: 60,
        },
        commandFor: () => '',
      },
      { show() {}, line: console.log, end() {} },
      new AbortController().signal,
    );
    return sharp(await sharp(join(folder, sheetName)).toBuffer());
  } finally {
    await rm(folder, { recursive: true });
  }
}
