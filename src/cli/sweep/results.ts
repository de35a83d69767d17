/** What is known of a cell. */
export type CellResult =
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly reason: string }
  | ({ readonly state: 'done' } & Figures);

/** The figures of a painted cell; those that are not known are left out. */
export interface Figures {
  readonly loss?: number | undefined;
  readonly terms?: Readonly<Record<string, number>> | undefined;
  readonly iterations?: number | undefined;
  readonly evaluations?: number | undefined;
  readonly seconds?: number | undefined;
  /** Against the content image. */
  readonly ssim?: number | undefined;
  readonly contentDistance?: number | undefined;
  /** Against the first style image. */
  readonly styleDistance?: number | undefined;
}
