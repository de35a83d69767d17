import { any, flag, optionTable } from '../../options/table';
import type { StyleVideoOptions } from '../../video/options';
import type { NodeImageInput } from '../image-input';
import type { FilmProgressListener } from './progress';

/** The options of `styleVideoFile` that are about files. */
export interface FilmFileOptions {
  /**
   * Folder of the painted frames, as PNG files, with a list of them: another run of the same film and options goes on
   * with what is missing, to the bit as if it had not been interrupted. The folder is made, or has nothing in it yet,
   * or frames of this film. When the film is complete, they are removed, and the folder unless it has other files by
   * then.
   * @default the output's name with `.frames` after it
   */
  readonly work?: string | undefined;
  /** Leaves the painted frames where they are. @default false */
  readonly keepFrames?: boolean | undefined;
  /** Image file that each painted frame replaces, to look at. @default none */
  readonly preview?: string | undefined;
}

/** Options of `styleVideoFile`. */
export interface StyleVideoFileOptions
  extends Omit<StyleVideoOptions<NodeImageInput>, 'after' | 'onProgress'>,
    FilmFileOptions {
  /** Called for each event and awaited. */
  readonly onProgress?: FilmProgressListener | undefined;
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';

/** The table of {@link FilmFileOptions}. */
export const filmFileOptions = optionTable<FilmFileOptions>()('styleVideoFile', {
  work: any<string, { flag: string; help: string }>('a folder', isText, {
    flag: '--work <folder>',
    help: 'where frames lie until the film is complete (default: as the output, with .frames)',
  }),
  keepFrames: flag({
    default: false,
    flag: '--keep-frames',
    help: 'leave the painted frames in their folder',
  }),
  preview: any<string, { flag: string; help: string }>('an image file', isText, {
    flag: '--preview <file>',
    help: 'picture that each painted frame replaces, to look at',
  }),
});
