import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { version } from '../../../package.json';
import { InvalidArgumentError } from '../../errors';
import type { PixelArray } from '../../image/pixel-array';
import { showValue } from '../../options/show';
import { requireKnownOptions } from '../../options/validate';
import { openStart } from '../../transfer/opened-start';
import { isStartName, styleTransferOptions } from '../../transfer/options';
import { startRecord, styleRecord } from '../../transfer/record-run';
import type { SettingsRecord } from '../../transfer/settings-record';
import { type OpenedStyle, openStyle, readStyles, type StyleInput } from '../../transfer/styles';
import {
  type PaintedFrame,
  readVideoOptions,
  type StyleVideoOptions,
  temporalOptions,
} from '../../video/options';
import type { VideoProgress } from '../../video/progress';
import { repeatedOptions } from '../../video/repeated-options';
import { styleVideoOn } from '../../video/style-video';
import type { NodeImageInput } from '../image-input';
import { platform } from '../platform';
import { readImage } from '../read-image';
import { openFile } from '../read-pixels';
import { filePath, requireWritableFile } from '../write-file';
import { encodeImage, requireWritable, writeImage } from '../write-image';
import { FilmFolder, type FrameRecord, type Heading, hashOfFile, headingFormat } from './film-folder';
import { filmFileOptions, type StyleVideoFileOptions } from './options';
import { type Film, openFilm } from './read-film';
import { requireFilmFormat, tryFilm, writeFilm } from './write-film';

/** Result of {@link styleVideoFile}. */
export interface StyledFilm {
  /** The file that was written. */
  readonly output: string;
  readonly width: number;
  readonly height: number;
  /** Frames a second, as a fraction: `'30000/1001'`. */
  readonly rate: string;
  readonly frames: number;
  /** Frames painted by this run; the others were there. */
  readonly painted: number;
  /** Seconds of painting, of all frames. */
  readonly seconds: number;
}

/**
 * Paints a film: `styleVideo` from file to file, by the program ffmpeg, which is found on the PATH or at FFMPEG_PATH.
 * The film keeps its frame rate, its number of frames and its sound. Sides become even numbers. Painted frames lie in a
 * folder until the film is complete, and another run goes on with them.
 *
 * @param film path or `file:` URL of a film that ffmpeg reads
 * @param style as of `styleTransfer`, or paths
 * @param output path or `file:` URL: .mp4, .m4v, .mov (H.264), .mkv (H.264) or .webm (VP9)
 * @param options see {@link StyleVideoFileOptions}
 * @throws InvalidArgumentError if an argument is wrong, or `WORK_DIFFERS` if the work folder has frames of another film
 *   or other options; EnvironmentError `NO_FFMPEG`, or `FFMPEG_FAILED` if ffmpeg lacks an encoder; ImageError
 *   `NOT_A_FILM`, `NOT_WRITABLE`; else as `styleTransfer`
 * @throws the signal's reason once it is aborted; frames that are done stay
 * @example
 * ```ts
 * await styleVideoFile('in.mp4', 'painting.jpg', 'out.mp4', { size: 320, onProgress: console.log });
 * ```
 */
export async function styleVideoFile(
  film: string | URL,
  style: StyleInput<NodeImageInput>,
  output: string | URL,
  options: StyleVideoFileOptions = {},
): Promise<StyledFilm> {
  const { onProgress, ...given } = options;
  const own = Object.keys(filmFileOptions.options);
  const { after: _, ...temporal } = temporalOptions.options;
  const known = [...own, ...Object.keys(temporal), ...Object.keys(styleTransferOptions.options)];
  requireKnownOptions('styleVideoFile', options, known);
  const files = filmFileOptions.read(pick(given, (name) => own.includes(name)));
  const ofFrames = pick(given, (name) => !own.includes(name)) as StyleVideoOptions<NodeImageInput>;
  const { settings } = ofFrames;
  const video = await repeatedOptions(ofFrames);
  readVideoOptions(platform, video);
  const styles = readStyles(style);
  const [from, to] = [filePath(film), filePath(output)];
  requireFilmFormat(to);
  requireOther(from, to);
  await requireWritableFile(to);
  if (files.preview !== undefined) await requireWritable(files.preview);
  const { signal } = video;
  const opened = await openFilm(from, video.size, signal);
  const tell = async (code: 'FILM_DAMAGED' | 'SOUND_ENCODED', message: string) =>
    onProgress?.({ type: 'warning', code, message });
  if (opened.damage !== undefined)
    await tell('FILM_DAMAGED', `Parts of the film cannot be read: ${opened.damage}`);
  const sound = await tryFilm(to, opened, signal);
  if (sound === 'encode')
    await tell(
      'SOUND_ENCODED',
      'The sound cannot be taken over as it is into this kind of film, so it is encoded anew.',
    );

  const folder = await FilmFolder.open(files.work ?? `${to}.frames`, await headingOf(opened, styles, video));
  const kept = folder.frames.length;
  await paintMissing(folder, opened, style, {
    video: { ...video, settings },
    preview: files.preview,
    onProgress,
  });
  await writeFilm(to, opened, pixelsOf(folder, signal), sound, signal);
  const seconds = folder.frames.reduce((sum, frame) => sum + frame.seconds, 0);
  if (!files.keepFrames) await folder.remove();
  const { width, height, rate, frames } = opened;
  return { output: to, width, height, rate, frames, painted: frames - kept, seconds };
}

/** Paints what a folder lacks of a film. */
async function paintMissing(
  folder: FilmFolder,
  film: Film,
  style: StyleInput<NodeImageInput>,
  {
    video,
    preview,
    onProgress,
  }: {
    readonly video: StyleVideoOptions<NodeImageInput>;
    readonly preview: string | undefined;
    readonly onProgress: StyleVideoFileOptions['onProgress'];
  },
): Promise<void> {
  if (folder.frames.length >= film.frames) return;
  const { signal } = video;
  const source = film.read(signal);
  const of = film.frames;
  const pace = new Pace(folder.frames);
  let after: PaintedFrame | undefined;
  try {
    after = await lastOf(folder, source, signal);
    const forward = (event: VideoProgress) => {
      if (event.type !== 'frame') return onProgress?.(event);
      const { done, secondsLeft } = pace.at(event.step, of - event.index - 1);
      return onProgress?.({ ...event, of, done: (event.index + done) / of, secondsLeft });
    };
    // The size has been applied by ffmpeg.
    const size = video.size === undefined ? undefined : Math.max(film.width, film.height);
    for await (const frame of styleVideo(source, style, { ...video, size, after, onProgress: forward })) {
      try {
        const png = await encodeImage(frame.image, { signal });
        const seconds = frame.elapsedMs / 1000;
        const { index, loss, iterations, evaluations, reliable } = frame;
        const computed = computedBy(frame.settings);
        const { file } = await folder.add(
          { loss, iterations, evaluations, reliable, seconds, computed },
          png,
        );
        pace.add(seconds);
        if (preview !== undefined) await writeImage(frame.image, preview, { signal });
        await onProgress?.({ type: 'painted', index, of, file, loss, seconds });
      } finally {
        frame.dispose();
      }
    }
  } finally {
    await source.return();
    after?.frame.dispose();
    after?.image.dispose();
  }
}

const styleVideo = /* @__PURE__ */ styleVideoOn(platform);

/** The last frame of a folder, for which the frames of the film up to it are read. */
async function lastOf(
  folder: FilmFolder,
  source: AsyncGenerator<PixelArray>,
  signal: AbortSignal | undefined,
): Promise<PaintedFrame | undefined> {
  const { frames } = folder;
  if (frames.length === 0) return undefined;
  let last: PixelArray | undefined;
  for (let i = 0; i < frames.length; i++) {
    signal?.throwIfAborted();
    last = (await source.next()).value as PixelArray | undefined;
  }
  const index = frames.length - 1;
  const image = await readImage(folder.file(index), { signal });
  const frame = await platform.decode('film', last as PixelArray, undefined, signal);
  return { frame, image, index, firstLoss: frames[0].loss };
}

/** The pixels of a folder's frames, 8-bit RGB. */
async function* pixelsOf(folder: FilmFolder, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (const { frame } of folder.frames) {
    const file = await openFile('work', folder.file(frame), signal);
    const { data, channels } = await file.readPixels();
    if (channels === 3 && data instanceof Uint8Array) yield data;
    else throw new TypeError(`${folder.file(frame)} is not a frame that this program has written`);
  }
}

/** Estimates the time that a film takes. */
class Pace {
  private seconds = 0;
  private frames = 0;
  private begun = performance.now();

  /** @param before frames of earlier runs */
  constructor(before: readonly FrameRecord[]) {
    // The first frame takes more steps than the others.
    for (const { seconds } of before.slice(1)) this.add(seconds);
  }

  add(seconds: number): void {
    this.seconds += seconds;
    this.frames++;
    this.begun = performance.now();
  }

  at(step: { readonly done: number; readonly secondsLeft: number }, framesLeft: number) {
    const soFar = (performance.now() - this.begun) / 1000;
    const each = this.frames > 0 ? this.seconds / this.frames : soFar + step.secondsLeft;
    return { done: step.done, secondsLeft: step.secondsLeft + each * framesLeft };
  }
}

/** What a frame was computed by; frames of another engine or network are of another film. */
const computedBy = ({ engine, network }: SettingsRecord) =>
  `${engine}, tfjs ${tf.version_core}, ${network.name} ${network.sha256 ?? 'of unknown weights'}`;

/** Options that change no frame, or are compared otherwise. */
const uncompared = ['threads', 'signal', 'onProgress', 'weights', 'extractor', 'init'];

async function headingOf(
  { path, width, height, rate, frames }: Film,
  given: ReturnType<typeof readStyles<NodeImageInput>>,
  video: StyleVideoOptions<NodeImageInput>,
): Promise<Heading> {
  const { init, signal } = video;
  const styles: object[] = [];
  const opened: OpenedStyle[] = [];
  for (const style of given) {
    const one = await openStyle(platform, style, signal);
    opened.push(one);
    styles.push(await styleRecord(one));
  }
  const start = await openStart(platform, init, opened, signal);
  const { frameIterations, flow, temporal } = readVideoOptions(platform, video);
  const compared = pick(video, (name) => !uncompared.includes(name));
  return {
    format: headingFormat,
    formatVersion: 1,
    library: version,
    film: { sha256: await hashOfFile(path), width, height, rate, frames },
    styles,
    init: start && (await startRecord(start)),
    options: plain({ ...compared, frameIterations, flow, temporal, ...(isStartName(init) && { init }) }),
  };
}

/** Options as JSON gives them back, in the order of their names; functions by their name. */
function plain(options: Readonly<Record<string, unknown>>): object {
  const sorted = Object.keys(options)
    .sort()
    .map((name) => [name, options[name]]);
  const text = JSON.stringify(Object.fromEntries(sorted), (_, value: unknown) =>
    typeof value === 'function' ? `function ${value.name}` : value,
  );
  return JSON.parse(text) as object;
}

const pick = (record: object, wanted: (name: string) => boolean): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => wanted(name)));

function requireOther(film: string, output: string): void {
  if (resolve(film) !== resolve(output)) return;
  const accepted = 'another file than the film';
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `output is ${showValue(output)}; accepted: ${accepted}.`,
    {
      option: 'output',
      value: output,
      accepted,
    },
  );
}
