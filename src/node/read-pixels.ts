import type { Metadata, SharpOptions } from 'sharp';
import type { ErrorCode } from '../error-codes';
import { EnvironmentError, StyleTransferError } from '../errors';
import { maxInputPixels, type PixelArray, requirePixelCount } from '../image/pixel-array';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import { showText } from '../options/show';
import { untilAborted } from '../until-aborted';
import { profileUse } from './icc-profile';
import { loadSharp } from './load-sharp';
import {
  type Call,
  LimitExceeded,
  metadataApart,
  NoProcess,
  runApart,
  runSharp,
  type SharpOutput,
  type SharpRun,
} from './run-sharp';
import { type ImageSource, sourceBytes, sourceError } from './source-bytes';

/** An image file whose header has been read. */
export interface OpenFile extends Size {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Text that PNG files hold by keyword, and the XMP packet of other files. */
  readonly texts: Pick<Metadata, 'comments' | 'xmp'>;
  /** @throws ImageError if the file is damaged, or would become larger than `maxInputPixels` */
  readPixels(size?: SizeRule): Promise<PixelArray>;
}

/**
 * Limits for SVG. An SVG file is a program: 44 kB of nested filters or references can take any time and memory. A
 * separate process therefore draws it and is killed at a limit.
 */
const svgLimits = { fileBytes: 2 ** 24, seconds: 15, bytes: 2 ** 30 } as const;

/**
 * Opens an image file: any format that sharp reads, rotated by its EXIF orientation, converted to sRGB (greyscale, CMYK
 * and embedded profiles included), with all 16 bits and with alpha. Only the first page or frame is read.
 *
 * @param option the name of the argument, for errors
 * @throws ImageError if the file is missing, empty, not an image, too large, or of a kind that cannot be read
 */
export async function openFile(option: string, source: ImageSource, signal?: AbortSignal): Promise<OpenFile> {
  // First, so that a missing sharp is reported whatever the file.
  await loadSharp();
  const bytes = await sourceBytes(option, source, signal);
  const file = { option, source, bytes, signal, drawn: mayBeSvg(bytes) };
  const metadata = await explaining(file, () => metadataOf(file));
  requireReadable(file, metadata);
  const { width, height } = metadata.autoOrient;
  if (width < 1 || height < 1) throw sourceError('EMPTY', option, source, `has ${width}x${height} pixels`);
  requirePixelCount(option, width, height);
  const { comments, xmp } = metadata;
  return {
    width,
    height,
    bytes,
    texts: { comments, xmp },
    async readPixels(size) {
      const to = sizeAfter(size, width, height);
      requirePixelCount(option, to.width, to.height);
      const crop = size !== undefined && 'crop' in size && size.crop === true;
      const resize: Call[] =
        to.width === width && to.height === height
          ? []
          : [['resize', to.width, to.height, { fit: crop ? 'cover' : 'fill', kernel: 'lanczos3' }]];
      return explaining(file, () => decode(file, metadata, resize));
    },
  };
}

interface File {
  readonly option: string;
  readonly source: ImageSource;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** Whether it may be an SVG, which a separate process draws. */
  readonly drawn: boolean;
}

/**
 * Whether libvips might take the bytes for SVG: text that names the element early, or any gzip data. May be true for
 * others.
 */
function mayBeSvg(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  return /<svg/i.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1'),
  );
}

async function metadataOf({ option, source, bytes, signal, drawn }: File): Promise<Metadata> {
  // Headers are read without sharp's own limits, so that our errors can state the numbers.
  const options = { limitInputPixels: false, limitInputChannels: 0 } satisfies SharpOptions;
  if (!drawn) {
    const sharp = await loadSharp();
    return untilAborted(signal, sharp(bytes, options).metadata());
  }
  if (bytes.length > svgLimits.fileBytes) {
    const accepted = `SVG of at most ${svgLimits.fileBytes} bytes`;
    throw sourceError('TOO_LARGE', option, source, `has ${bytes.length} bytes`, { accepted });
  }
  return metadataApart(bytes, options, svgLimits, signal);
}

/** Throws unless the kind of numbers defines black and white, and the channels are colours and alpha only. */
function requireReadable(
  { option, source }: File,
  { space, depth, channels, bitsPerSample }: Metadata,
): void {
  const refuse = (problem: string, accepted: string) =>
    sourceError('UNSUPPORTED_FORMAT', option, source, problem, { accepted });
  if (depth !== 'uchar' && depth !== 'ushort') {
    const numbers = `${bitsPerSample ? `${bitsPerSample}-bit ` : ''}${numberKinds[depth ?? ''] ?? `numbers of type ${depth}`}`;
    throw refuse(`holds ${numbers}`, wholeNumbers);
  }
  const accepted = 'grey, RGB or CMYK, with or without alpha';
  const colours = coloursOf[space];
  if (colours === undefined) throw refuse(`has colours of the space '${showText(space)}'`, accepted);
  if (channels === colours || (channels === colours + 1 && colours !== 4)) return;
  throw refuse(`has ${channels} channels, of which ${colours} are colours`, accepted);
}

const wholeNumbers = 'whole numbers of 8 or 16 bits from 0 on; save it with those, or as PNG';

const numberKinds: Readonly<Record<string, string>> = {
  char: 'signed whole numbers',
  short: 'signed whole numbers',
  int: 'signed whole numbers',
  uint: 'whole numbers',
  float: 'floating point numbers',
  double: 'floating point numbers',
  complex: 'complex numbers',
  dpcomplex: 'complex numbers',
};

/** Number of colour channels by sharp's name of the colour space. */
const coloursOf: Readonly<Record<string, 1 | 3 | 4>> = {
  'b-w': 1,
  grey16: 1,
  srgb: 3,
  rgb: 3,
  rgb16: 3,
  cmyk: 4,
};

async function decode(file: File, metadata: Metadata, resize: readonly Call[]): Promise<PixelArray> {
  const { space, depth, icc, autoOrient } = metadata;
  const { bytes, signal } = file;
  const limits = { limitInputPixels: maxInputPixels, failOn: 'error' } satisfies SharpOptions;
  if (depth !== 'ushort' || space === 'cmyk') {
    const calls: Call[] = [['autoOrient'], ['toColourspace', 'srgb'], ...resize, ['raw', { depth: 'uchar' }]];
    const { data, ...rest } = await run(file, autoOrient, { bytes, options: limits, calls });
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), ...rest };
  }
  // sharp converts 16-bit pictures to Display P3 and leaves grey ones unconverted, so it is told to ignore the profile,
  // which we convert.
  const grey = space === 'grey16';
  const use = icc === undefined ? 'none' : profileUse(icc, grey ? 1 : 3);
  const calls: Call[] = [
    ['autoOrient'],
    ['toColourspace', grey ? 'grey16' : 'rgb16'],
    ...resize,
    ...(use === 'table' ? [['withIccProfile', 'srgb'] as const] : []),
    ['raw', { depth: 'ushort' }],
  ];
  const { data, ...rest } = await run(file, autoOrient, {
    bytes,
    options: { ...limits, ignoreIcc: true },
    calls,
  });
  signal?.throwIfAborted();
  const levels = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return { data: typeof use === 'function' ? use(levels, rest.channels) : levels, ...rest };
}

function run({ signal, drawn }: File, { width, height }: Size, work: SharpRun): Promise<SharpOutput> {
  return drawn ? runApart(work, svgLimits, signal) : runSharp(work, width * height, signal);
}

/** Turns an error of `work` into one that says what is wrong with the file. */
async function explaining<T>({ option, source, signal }: File, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof StyleTransferError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof NoProcess) {
      const problem = `${option} may be an SVG, which a separate process must draw, and none can be started here`;
      throw new EnvironmentError('NO_DECODER', `${problem}; convert it to PNG.`, { option, cause });
    }
    const [code, problem, accepted] =
      cause instanceof LimitExceeded
        ? (['TOO_LARGE', message, 'a simpler SVG, or the same picture as PNG'] as const)
        : failureOf(message);
    throw sourceError(code, option, source, problem, { ...(accepted && { accepted }), cause });
  }
}

const formats = 'JPEG, PNG, WebP, AVIF, GIF, TIFF or SVG';

/** The meaning of an error message of sharp, libvips or one of its decoders. */
function failureOf(message: string): readonly [code: ErrorCode, problem: string, accepted?: string] {
  if (/unsupported image format/i.test(message))
    return ['NOT_AN_IMAGE', 'is not an image of a known format', formats];
  if (/HEVC/.test(message))
    return [
      'UNSUPPORTED_FORMAT',
      'is a HEIC picture (HEVC), which sharp does not decode',
      `${formats}; convert it first`,
    ];
  const reason = showText(message.trim().split('\n')[0], 160);
  // A number type that libvips' TIFF reader does not know, CIELAB of 8 bits, JPEG of 12 bits.
  if (/unsupported|not supported|built in|tiff2vips: samples|labq/i.test(message))
    return [
      'UNSUPPORTED_FORMAT',
      `holds a kind of numbers or colours that sharp does not read (${reason})`,
      wholeNumbers,
    ];
  return ['DAMAGED', `is damaged or truncated (${reason})`];
}
