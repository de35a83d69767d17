import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ComputationError } from '../../errors';
import { evaluate } from '../../node/evaluate';
import type { NodeImageInput } from '../../node/image-input';
import { platform } from '../../node/platform';
import { readRecord } from '../../node/read-settings-record';
import { replaceFile } from '../../node/replace-file';
import type { NodeStyleTransferOptions } from '../../node/style-transfer';
import { writeImage } from '../../node/write-image';
import { showText } from '../../options/show';
import type { StyleTransferProgress } from '../../transfer/progress';
import type { SettingsRecord } from '../../transfer/settings-record';
import { shareWork } from '../../transfer/shared-work';
import { type StyleTransferResult, styleTransferOn } from '../../transfer/style-transfer';
import type { StyleInput } from '../../transfer/styles';
import { duration, type ProgressDisplay } from '../progress';
import type { Cell, Grid } from './grid';
import { sweepPage } from './page';
import type { CellResult, Figures } from './results';
import { contactSheet } from './sheet';

/** A grid of runs and where its pictures go. */
export interface Sweep {
  readonly grid: Grid;
  /** Title of the page. */
  readonly title: string;
  /** A folder that exists. */
  readonly folder: string;
  readonly content: NodeImageInput;
  readonly style: StyleInput<NodeImageInput>;
  /** A style image for the metrics; undefined if the first style is a file of targets. */
  readonly metricStyle: NodeImageInput | undefined;
  /** The options that all cells have in common. */
  readonly options: NodeStyleTransferOptions;
  commandFor(cell: Cell): string;
}

/** How many cells a sweep has painted. */
export interface SweepSummary {
  readonly cells: number;
  readonly painted: number;
  /** Painted by an earlier sweep. */
  readonly kept: number;
  readonly failed: number;
}

/** Name of the contact sheet in the folder of a sweep. */
export const sheetName = 'contact-sheet.png';
/** Name of the page. */
export const pageName = 'index.html';
const figuresName = 'results.json';

/** Thrown to end a run whose picture is there already. */
class AlreadyPainted extends Error {}

/**
 * Paints the cells of a grid one after the other, each into a file of its own, and at the end the contact sheet and the
 * page, also if it is interrupted. Cells are done if their file holds the settings that the run would have.
 *
 * @throws ComputationError `CELLS_FAILED` if cells failed, after all others have been painted; the signal's reason
 */
export async function runSweep(
  sweep: Sweep,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<SweepSummary> {
  const { grid, folder } = sweep;
  const cells = grid.rows.flatMap((row) => row.cells);
  const results = new Map<string, CellResult>();
  const figures = await readFigures(folder);
  const work = shareWork(platform);
  const summary = { cells: cells.length, painted: 0, kept: 0, failed: 0 };
  let seconds = 0;
  try {
    for (const [i, cell] of cells.entries()) {
      signal.throwIfAborted();
      const shown = `cell ${i + 1} of ${cells.length}, ${cell.title}`;
      const begun = performance.now();
      const onProgress = (event: StyleTransferProgress) => {
        if (event.type === 'warning') display.show(event);
        if (event.type !== 'step') return;
        const { done, secondsLeft } = event;
        const soFar = (performance.now() - begun) / 1000;
        const pace = summary.painted > 0 ? seconds / summary.painted : soFar + secondsLeft;
        display.show({
          type: 'cell',
          cell: i + 1,
          of: cells.length,
          title: cell.title,
          done: (i + done) / cells.length,
          secondsLeft: secondsLeft + pace * (cells.length - i - 1),
          step: event,
        });
      };
      const before = await readRecord('picture', join(folder, cell.file)).catch(() => undefined);
      const paint = styleTransferOn(work.platform, work.load, (record) => {
        if (before && same(before, record)) throw new AlreadyPainted();
      });
      try {
        const result = await paint(sweep.content, sweep.style, {
          ...sweep.options,
          ...cell.options,
          signal,
          onProgress,
        } as NodeStyleTransferOptions);
        try {
          await writeImage(result.image, join(folder, cell.file), { settings: result.settings });
          const found = {
            ...figuresOf(result),
            ...(await metricsOf(sweep, result.image, work.extractor(), signal)),
          };
          figures[cell.file] = found;
          results.set(cell.file, { state: 'done', ...found });
          await replaceFile(join(folder, figuresName), textOf(figures));
          summary.painted++;
          seconds += found.seconds ?? 0;
          display.line(`${shown}: loss ${result.loss.toPrecision(5)}, ${duration(result.elapsedMs / 1000)}`);
        } finally {
          result.dispose();
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof AlreadyPainted) {
          results.set(cell.file, { state: 'done', ...figures[cell.file] });
          summary.kept++;
          display.line(`${shown}: painted before`);
          continue;
        }
        const reason = showText(error instanceof Error ? error.message : String(error), 300);
        results.set(cell.file, { state: 'failed', reason });
        summary.failed++;
        display.line(`${shown}: failed: ${reason}`);
      }
    }
  } finally {
    work.dispose();
    display.end();
    await replaceFile(join(folder, sheetName), await contactSheet(grid, folder, results));
    const page = sweepPage(grid, sweep.title, results, sweep.commandFor);
    await replaceFile(join(folder, pageName), new TextEncoder().encode(page));
  }
  if (summary.failed === 0) return summary;
  const failed = [...results].find(([, { state }]) => state === 'failed') as [string, { reason: string }];
  throw new ComputationError(
    'CELLS_FAILED',
    `${summary.failed} of ${cells.length} cells failed, ${failed[0]} because: ${failed[1].reason}`,
    { value: summary.failed },
  );
}

/** Whether two records are of the same picture: threads change no bit of it. */
function same(before: SettingsRecord, now: SettingsRecord): boolean {
  const of = (record: SettingsRecord) => JSON.stringify({ ...record, threads: undefined });
  return of(before) === of(now);
}

function figuresOf({ loss, terms, iterations, evaluations, elapsedMs }: StyleTransferResult): Figures {
  return { loss, terms, iterations, evaluations, seconds: elapsedMs / 1000 };
}

async function metricsOf(
  { content, metricStyle }: Sweep,
  image: StyleTransferResult['image'],
  extractor: Parameters<typeof evaluate>[0]['extractor'],
  signal: AbortSignal,
): Promise<Figures> {
  const metrics = ['ssim', 'contentDistance', 'styleDistance'] as const;
  const found = await evaluate({ image, content, style: metricStyle, extractor, metrics, signal });
  return {
    ssim: found.content?.ssim,
    contentDistance: found.content?.contentDistance,
    styleDistance: found.style?.styleDistance,
  };
}

/** The figures of earlier sweeps by the names of their pictures; none if the file is damaged or not there. */
async function readFigures(folder: string): Promise<Record<string, Figures>> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, figuresName), 'utf8'));
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(Object.entries(found).map(([file, figures]) => [file, onlyNumbers(figures)]));
  } catch {
    return {};
  }
}

/** A file may hold anything; figures are numbers, and terms a record of them. */
function onlyNumbers(figures: unknown): Figures {
  if (typeof figures !== 'object' || figures === null) return {};
  const numbers = (record: object) =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => typeof value === 'number'));
  const { terms } = figures as { terms?: unknown };
  return {
    ...numbers(figures),
    ...(typeof terms === 'object' && terms !== null && { terms: numbers(terms) }),
  };
}

const textOf = (value: object) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
