import type { RunRecord } from './run-record';
import type { System } from './systems';
import type { MeasuredRun } from './tables';

/** What the report shows. */
export interface ReportContent {
  /** Those that ran, the full model among them. */
  readonly systems: readonly System[];
  /** Rows of the paper that did not run, and why. */
  readonly missing: readonly { readonly title: string; readonly reason: string }[];
  readonly records: readonly RunRecord[];
  readonly measured: readonly MeasuredRun[];
  readonly pictures: readonly PictureRow[];
  readonly size: number;
  readonly iterations: number;
}

/** A row of the picture grid; pictures as data URLs. */
export interface PictureRow {
  /** As {@link MeasuredRun.pair}. */
  readonly pair: string;
  readonly content: string;
  readonly style: string;
  /** By the system's id. */
  readonly results: Readonly<Record<string, string>>;
}
