import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '../../errors';
import { showText, showValue } from '../../options/show';
import { isTemporary } from '../replace-file';
import { appendText, writeBytes } from '../write-file';

/** What the frames of a folder are painted from; plain JSON. Frames of one heading are of one film. */
export interface Heading {
  readonly format: typeof headingFormat;
  readonly formatVersion: 1;
  /** Version of this library. */
  readonly library: string;
  readonly film: object;
  readonly styles: readonly object[];
  readonly init?: object | undefined;
  readonly options: object;
}

/** The format of a {@link Heading}. */
export const headingFormat = 'tfjs-style-transfer film';

/** A frame that has been painted, in the folder's list. */
export interface FrameRecord {
  /** 0 is the first. */
  readonly frame: number;
  readonly file: string;
  readonly loss: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** Share of the pixels whose motion is known. */
  readonly reliable?: number | undefined;
  readonly seconds: number;
  /** What computed it: the engine's name, the version of tfjs, and SHA-256 of the network's weights. */
  readonly computed: string;
}

/** Name of the list of frames: a heading, then a line for each frame. */
export const listName = 'film.jsonl';

/**
 * A folder of painted frames, of one film. A frame is written by rename before its line is appended, so that a program
 * which is killed loses the frame at work only.
 */
export class FilmFolder {
  private constructor(
    readonly path: string,
    private readonly found: FrameRecord[],
  ) {}

  /**
   * Opens or makes a folder.
   *
   * @throws InvalidArgumentError `WORK_DIFFERS` if it holds frames of another film, or with other settings, or other
   *   files and no frames; ImageError `NOT_WRITABLE`
   */
  static async open(path: string, heading: Heading): Promise<FilmFolder> {
    // If the folder cannot be made, writing fails with an error that says why.
    await mkdir(path, { recursive: true }).catch(() => {});
    const names = (await readdir(path).catch(() => [])).filter((name) => !isTemporary(name));
    const list = join(path, listName);
    const [first, ...lines] = linesOf(await readFile(list, 'utf8').catch(() => ''));
    if (first !== undefined) requireSame(path, first as Heading, heading);
    else if (names.length > 0) throw foreign(path, names[0]);
    const records: FrameRecord[] = [];
    for (const line of lines as FrameRecord[]) {
      const { frame, file } = line;
      // Only whole frames in order; what follows a gap is painted again.
      if (frame !== records.length || file !== frameName(frame)) break;
      if (!(await stat(join(path, file)).catch(() => undefined))?.size) break;
      records.push(line);
    }
    const text = [heading, ...records].map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeBytes(list, new TextEncoder().encode(text));
    return new FilmFolder(path, records);
  }

  /** The frames that have been painted, in order. */
  get frames(): readonly FrameRecord[] {
    return this.found;
  }

  /** The file of a frame. */
  file(frame: number): string {
    return join(this.path, frameName(frame));
  }

  /**
   * Adds the next frame.
   *
   * @param png its picture
   * @throws InvalidArgumentError `WORK_DIFFERS` if another network or engine has painted the frames before; ImageError
   *   `NOT_WRITABLE`
   */
  async add(record: Omit<FrameRecord, 'frame' | 'file'>, png: Uint8Array): Promise<FrameRecord> {
    const last = this.found.at(-1);
    if (last && last.computed !== record.computed)
      throw differs(this.path, `computed by ${showValue(last.computed)}, now ${showValue(record.computed)}`);
    const frame = this.found.length;
    const made = { frame, file: frameName(frame), ...record };
    await writeBytes(this.file(frame), png);
    await appendText(join(this.path, listName), `${JSON.stringify(made)}\n`);
    this.found.push(made);
    return made;
  }

  /** Removes the frames and their list, and the folder unless it has other files. */
  async remove(): Promise<void> {
    const temporary = (await readdir(this.path).catch(() => [])).filter(isTemporary);
    // The list goes last: without it, another run would refuse what is left.
    for (const name of [...this.found.map(({ file }) => file), ...temporary, listName])
      await rm(join(this.path, name), { force: true });
    // Refused where it is not empty, or this process is in it.
    await rmdir(this.path).catch(() => {});
  }
}

const frameName = (frame: number) => `${String(frame + 1).padStart(6, '0')}.png`;

/** Lines of JSON up to the first that is torn, which a killed program may have left. */
function linesOf(text: string): object[] {
  const lines: object[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      lines.push(JSON.parse(line) as object);
    } catch {
      break;
    }
  }
  return lines;
}

function requireSame(path: string, before: Heading, now: Heading): void {
  const parts = ['format', 'formatVersion', 'library', 'film', 'styles', 'init'] as const;
  const text = (value: unknown) => JSON.stringify(value) ?? 'none';
  for (const part of parts)
    if (text(before[part]) !== text(now[part])) throw differs(path, `of another ${part}`);
  const [old, given] = [before.options, now.options] as Readonly<Record<string, unknown>>[];
  for (const name of new Set([...Object.keys(old ?? {}), ...Object.keys(given)]))
    if (text(old?.[name]) !== text(given[name]))
      throw differs(path, `painted with ${name} ${text(old?.[name])}, now ${text(given[name])}`);
}

function differs(path: string, how: string): InvalidArgumentError {
  const accepted = 'the same film, styles and options, another folder, or none, after you have removed it';
  return new InvalidArgumentError(
    'WORK_DIFFERS',
    `The frames in ${showValue(path)} are ${showText(how, 300)}; accepted: ${accepted}.`,
    { option: 'work', value: path, accepted },
  );
}

function foreign(path: string, name: string): InvalidArgumentError {
  const accepted = 'a new or an empty folder, or one with frames of this film';
  return new InvalidArgumentError(
    'WORK_DIFFERS',
    `The folder ${showValue(path)} has ${showValue(name)} in it and no list of frames; accepted: ${accepted}.`,
    { option: 'work', value: path, accepted },
  );
}

/** SHA-256 of a file of any size, in lower-case hexadecimal. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
