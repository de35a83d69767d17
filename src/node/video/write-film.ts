import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { InvalidArgumentError } from '../../errors';
import { showValue } from '../../options/show';
import { replaceFileBy } from '../replace-file';
import { FfmpegFailed, inputFile, startFfmpeg } from './ffmpeg';
import { type Film, ffmpegFailed } from './read-film';

/** How a film is encoded, by its file's extension: the muxer, and what ffmpeg is told of the pictures. */
interface Container {
  readonly muxer: string;
  readonly codec: readonly string[];
}

// 4:2:0, which every player shows; near the quality at which no difference is seen, because strokes are small.
const h264 = ['-c:v', 'libx264', '-crf', '16', '-preset', 'medium', '-pix_fmt', 'yuv420p'];
const atFront = ['-movflags', '+faststart'];

const containers: Readonly<Record<string, Container>> = {
  '.mp4': { muxer: 'mp4', codec: [...h264, ...atFront] },
  '.m4v': { muxer: 'mp4', codec: [...h264, ...atFront] },
  '.mov': { muxer: 'mov', codec: [...h264, ...atFront] },
  '.mkv': { muxer: 'matroska', codec: h264 },
  '.webm': {
    muxer: 'webm',
    codec: ['-c:v', 'libvpx-vp9', '-crf', '20', '-b:v', '0', '-row-mt', '1', '-pix_fmt', 'yuv420p'],
  },
};

/** Extensions of films that can be written. */
export const filmExtensions = Object.keys(containers);

/** How the sound of a film gets into another: as it is, or encoded anew. */
export type Sound = 'copy' | 'encode';

/**
 * @throws InvalidArgumentError `UNKNOWN_FORMAT` if the extension names no container
 */
export function requireFilmFormat(path: string): void {
  if (containers[extname(path).toLowerCase()]) return;
  const accepted = filmExtensions;
  throw new InvalidArgumentError(
    'UNKNOWN_FORMAT',
    `output is ${showValue(path)}, whose extension names no film; accepted: ${accepted.join(', ')}.`,
    { option: 'output', value: path, accepted },
  );
}

/**
 * Tries, with one black frame, whether ffmpeg can write such a film, before any frame is painted.
 *
 * @returns how its sound can be taken over
 * @throws EnvironmentError `FFMPEG_FAILED` if it cannot, because it lacks the encoder
 */
export async function tryFilm(output: string, film: Film, signal?: AbortSignal): Promise<Sound> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-style-transfer-'));
  const black = async function* () {
    yield new Uint8Array(3 * film.width * film.height);
  };
  const to = join(folder, `film${extname(output).toLowerCase()}`);
  const attempt = (sound: Sound) => encode(to, film, black(), sound, signal, ['-t', '1']);
  try {
    try {
      await attempt('copy');
      return 'copy';
    } catch (error) {
      if (!(error instanceof FfmpegFailed)) throw error;
      await attempt('encode');
      return 'encode';
    }
  } catch (error) {
    if (!(error instanceof FfmpegFailed)) throw error;
    throw ffmpegFailed(`write ${extname(output).toLowerCase()} films`, error.message, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Writes a film: the frames, at the rate of another film, whose sound it takes over. The file is replaced when it is
 * complete.
 *
 * @param frames 8-bit RGB of the film's size
 * @throws EnvironmentError `FFMPEG_FAILED`
 */
export async function writeFilm(
  output: string,
  film: Film,
  frames: AsyncIterable<Uint8Array>,
  sound: Sound,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await replaceFileBy(output, (temporary) => encode(temporary, film, frames, sound, signal, [], output));
  } catch (error) {
    if (!(error instanceof FfmpegFailed)) throw error;
    throw ffmpegFailed(`write ${showValue(output)}`, error.message, error);
  }
}

/** @param named the name whose extension says the format */
async function encode(
  to: string,
  { path, width, height, rate }: Film,
  frames: AsyncIterable<Uint8Array>,
  sound: Sound,
  signal: AbortSignal | undefined,
  limits: readonly string[],
  named = to,
): Promise<void> {
  const { muxer, codec } = containers[extname(named).toLowerCase()];
  const run = startFfmpeg(
    [
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-s',
      `${width}x${height}`,
      '-r',
      rate,
      '-i',
      'pipe:0',
      ...inputFile(path),
      ...['-map', '0:v:0', '-map', '1:a?', '-map_metadata', '1', ...limits],
      // Said in the file, as players otherwise guess the matrix by the size.
      ...['-vf', 'scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int'],
      ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
      ...codec,
      ...(sound === 'copy' ? ['-c:a', 'copy'] : []),
      ...['-f', muxer, '-y', `file:${to}`],
    ],
    signal,
  );
  run.done.catch(() => {});
  try {
    for await (const frame of frames) {
      signal?.throwIfAborted();
      if (run.stdin.destroyed) break;
      // A write to a process that has ended fails; only `done` says why it has.
      const drained = () => once(run.stdin, 'drain').catch(() => run.done);
      if (!run.stdin.write(frame)) await Promise.race([drained(), run.done]);
    }
    run.stdin.end();
    await run.done;
  } finally {
    run.kill();
  }
}
