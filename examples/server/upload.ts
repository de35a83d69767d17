import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import sharp from 'sharp';
import type { Limits } from './limits';

/** What a client sent, on disk. */
export interface Upload {
  readonly content: string;
  readonly style: string;
  /** SHA-256 of both files, by their paths. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly settings: { readonly size: number; readonly iterations: number };
}

/** A request that the client has to change; the message is for the client. */
export class BadRequest extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

const pictures = ['content', 'style'] as const;
const numbers = { size: 256, iterations: 100 } as const;
const formats = ['jpeg', 'png', 'webp'];

/**
 * Receives the pictures `content` and `style` and the numbers `size` and `iterations` of a form. Pictures go to disk as
 * they arrive, under names of the server's own; what the client calls them is not looked at, and their format is what
 * their first bytes say.
 */
export async function receive(request: FastifyRequest, folder: string, limits: Limits): Promise<Upload> {
  const { paths, settings } = await within(limits.uploadMs, request, receiveParts(request, folder, limits));
  const [content, style] = pictures.map((name) => {
    const path = paths.get(name);
    if (path === undefined) throw new BadRequest(400, `The form has no picture ${name}.`);
    return path;
  });
  await requirePicture('content', content, limits);
  await requirePicture('style', style, limits);
  const hashes = { [content]: await sha256(content), [style]: await sha256(style) };
  return { content, style, hashes, settings };
}

async function receiveParts(request: FastifyRequest, folder: string, limits: Limits) {
  // A client that is gone by now sends no end either, for which the loop would wait.
  if (request.raw.destroyed) throw new BadRequest(400, 'The upload broke off.');
  const paths = new Map<string, string>();
  const settings: Record<keyof typeof numbers, number> = { ...numbers };
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      const name = nameOf(part.fieldname, Object.keys(numbers) as (keyof typeof numbers)[]);
      settings[name] = numberOf(name, part.value, limits[name]);
      continue;
    }
    const path = join(folder, nameOf(part.fieldname, pictures));
    await pipeline(part.file, createWriteStream(path, { flags: 'wx' }));
    if (part.file.truncated)
      throw new BadRequest(413, `${part.fieldname} has more than ${limits.fileBytes} bytes.`);
    paths.set(part.fieldname, path);
  }
  return { paths, settings };
}

/** What comes of receiving a request, or 408 and the end of the request when it takes too long. */
async function within<T>(ms: number, request: FastifyRequest, receiving: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const late = new BadRequest(408, 'The upload takes too long.');
      request.raw.destroy(late);
      reject(late);
    }, ms);
  });
  try {
    return await Promise.race([limit, receiving]);
  } finally {
    clearTimeout(timer);
  }
}

function nameOf<Name extends string>(field: string, names: readonly Name[]): Name {
  const name = names.find((one) => one === field);
  if (name === undefined) throw new BadRequest(400, `The form has a field that is not known here.`);
  return name;
}

function numberOf(name: string, value: unknown, most: number): number {
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > most)
    throw new BadRequest(400, `${name} has to be a whole number from 1 to ${most}.`);
  return number;
}

async function requirePicture(name: string, path: string, limits: Limits): Promise<void> {
  const accepted = `a JPEG, PNG or WebP of at most ${limits.pixels / 1e6} megapixels`;
  const refused = new BadRequest(415, `${name} has to be ${accepted}.`);
  const {
    format,
    width = 0,
    height = 0,
  } = await sharp(path)
    .metadata()
    .catch(() => {
      throw refused;
    });
  if (!formats.includes(format ?? '') || width * height > limits.pixels) throw refused;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
