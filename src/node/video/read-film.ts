import { stat } from 'node:fs/promises';
import { EnvironmentError, ImageError } from '../../errors';
import type { PixelArray } from '../../image/pixel-array';
import type { Size } from '../../image/size-rule';
import { showText, showValue } from '../../options/show';
import { defaultSize } from '../../transfer/scales';
import { FfmpegFailed, inputFile, lastWords, startFfmpeg } from './ffmpeg';

/** A film as it is painted. */
export interface Film extends Size {
  readonly path: string;
  /** Frames a second as a fraction: `'30000/1001'`. */
  readonly rate: string;
  /** Number of frames. */
  readonly frames: number;
  /** What ffmpeg found damaged and left out. */
  readonly damage: string | undefined;
  /** Reads frames in order, as 8-bit RGB of the film's painted size; each has pixels of its own. */
  read(signal?: AbortSignal): AsyncGenerator<PixelArray, void, void>;
}

/**
 * Opens a film: its painted size, rate and number of frames, for which all of it is decoded once.
 *
 * @param size the longer side of the painted frames; by default the film's own, at most 512. Sides become even numbers,
 *   which the pixel format of nearly every film needs.
 * @throws ImageError `FILE_NOT_FOUND`, or `NOT_A_FILM` if ffmpeg finds no frame in it
 */
export async function openFilm(path: string, size?: number, signal?: AbortSignal): Promise<Film> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw missing(path, found !== undefined);
  const picture = ['-map', '0:V:0', '-vf'];
  const scaled = [...picture, filterOf(size)];
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof FfmpegFailed ? notAFilm(path, error.message, error) : error;
    }
  };
  const { header } = await explained(() => firstFrame([...inputFile(path), ...scaled], signal));
  const [width, height, rate] = [/ W(\d+)/, / H(\d+)/, / F(\d+:\d+)/].map((part) => part.exec(header)?.[1]);
  if (width === undefined || height === undefined || rate === undefined)
    throw notAFilm(path, 'ffmpeg finds no frame in it');
  // As many frames as reading gives, at the rate that a film without a constant one gets.
  const { bytes, said } = await explained(() =>
    countBytes([...inputFile(path), ...picture, 'scale=2:2', ...raw], signal),
  );
  const film = {
    path,
    width: Number(width),
    height: Number(height),
    rate: rate.replace(':', '/'),
    frames: bytes / 12,
    damage: said === '' ? undefined : lastWords(said),
  };
  return {
    ...film,
    read: (during) => frames(film, [...inputFile(path), ...scaled, ...raw], during ?? signal),
  };
}

const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'] as const;

/** Scales to square pixels, to the longer side, and to even sides. */
function filterOf(size: number | undefined): string {
  const longer = 'max(iw*sar,ih)';
  const factor = size === undefined ? `min(1,${defaultSize}/${longer})` : `${size}/${longer}`;
  const even = (side: string) => `'max(2,2*round(${side}*${factor}/2))'`;
  return `scale=w=${even('iw*sar')}:h=${even('ih')}:flags=lanczos+accurate_rnd+full_chroma_int,setsar=1`;
}

/** The header of a stream of one frame in YUV4MPEG2, which holds size and rate. */
async function firstFrame(args: readonly string[], signal: AbortSignal | undefined) {
  const run = startFfmpeg(
    [...args, '-frames:v', '1', '-f', 'yuv4mpegpipe', '-pix_fmt', 'yuv444p', 'pipe:1'],
    signal,
  );
  let header = '';
  for await (const part of run.stdout as AsyncIterable<Buffer>)
    if (!header.includes('\n')) header += part.toString('latin1');
  await run.done;
  return { header: header.split('\n')[0] };
}

async function countBytes(args: readonly string[], signal: AbortSignal | undefined) {
  const run = startFfmpeg(args, signal);
  let bytes = 0;
  for await (const part of run.stdout as AsyncIterable<Buffer>) bytes += part.length;
  return { bytes, said: await run.done };
}

async function* frames(
  { path, width, height }: Omit<Film, 'read'>,
  args: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<PixelArray, void, void> {
  const run = startFfmpeg(args, signal);
  // Awaited at the end; until then its rejection is nobody's.
  run.done.catch(() => {});
  try {
    let data = new Uint8Array(3 * width * height);
    let filled = 0;
    for await (const part of run.stdout as AsyncIterable<Buffer>) {
      for (let from = 0; from < part.length; ) {
        const piece = part.subarray(from, from + data.length - filled);
        data.set(piece, filled);
        filled += piece.length;
        from += piece.length;
        if (filled < data.length) continue;
        yield { data, width, height, channels: 3 };
        data = new Uint8Array(data.length);
        filled = 0;
      }
    }
    await run.done;
  } catch (error) {
    throw error instanceof FfmpegFailed ? notAFilm(path, error.message, error) : error;
  } finally {
    run.kill();
  }
}

const acceptedFilm = 'a film that ffmpeg reads';

function missing(path: string, exists: boolean): ImageError {
  const [code, reason] = exists
    ? (['NOT_A_FILE', 'is no file'] as const)
    : (['FILE_NOT_FOUND', 'does not exist'] as const);
  return new ImageError(code, `film is ${showValue(path)}, which ${reason}; accepted: ${acceptedFilm}.`, {
    option: 'film',
    value: path,
    accepted: acceptedFilm,
  });
}

function notAFilm(path: string, reason: string, cause?: unknown): ImageError {
  const message = `film is ${showValue(path)}, which cannot be read: ${showText(reason, 400)}; accepted: ${acceptedFilm}.`;
  return new ImageError('NOT_A_FILM', message, {
    option: 'film',
    value: path,
    accepted: acceptedFilm,
    cause,
  });
}

/** The error of a program that ffmpeg cannot do. */
export function ffmpegFailed(what: string, reason: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('FFMPEG_FAILED', `ffmpeg cannot ${what}: ${showText(reason, 400)}`, { cause });
}
