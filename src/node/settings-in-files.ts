import { gzipSync } from 'node:zlib';
import type { Metadata } from 'sharp';
import type { SettingsRecord } from '../transfer/settings-record';

/** Keyword of the text in PNG files that holds a record; other formats hold it in their XMP, under the same name. */
const keyword = 'tfjs-style-transfer';

/** Longest record as text, in characters. One of ten thousand styles has 1.5 million. */
export const longestRecord = 2 ** 22;

/** A record as JSON of ASCII without `<`, `>` and `&`: the same in Latin-1, UTF-8 and XML. */
function recordText(record: SettingsRecord): string {
  return JSON.stringify(record).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Name and version of the program that wrote a record, for the fields of files that name their software. */
const softwareOf = ({ library }: SettingsRecord) => `tfjs-style-transfer ${library}`;

/** An XMP packet (ISO 16684-1) that holds a record. */
export function xmpOf(record: SettingsRecord): string {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tst="urn:${keyword}">
<xmp:CreatorTool>${softwareOf(record)}</xmp:CreatorTool>
<tst:settings>${recordText(record)}</tst:settings>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`;
}

/** A PNG file with a record in its text chunks: before the pixels, where readers of headers find them. */
export function pngWith(png: Uint8Array, record: SettingsRecord): Uint8Array {
  return Buffer.concat([
    png.subarray(0, headerBytes),
    textChunk('Software', softwareOf(record)),
    textChunk(keyword, recordText(record)),
    png.subarray(headerBytes),
  ]);
}

/** Signature and IHDR of a PNG file. */
const headerBytes = 8 + 25;

/** A chunk `tEXt` (PNG, 11.3.3.2): length, type, keyword, 0, text in Latin-1, CRC of all but the length. */
function textChunk(name: string, text: string): Buffer {
  const content = Buffer.from(`tEXt${name}\0${text}`, 'latin1');
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  // The CRC of gzip is that of PNG, in little-endian before the last four bytes; zlib.crc32 needs Node 20.15.
  const gzip = gzipSync(content, { level: 0 });
  chunk.writeUInt32BE(gzip.readUInt32LE(gzip.length - 8), content.length + 4);
  return chunk;
}

/** The text of a record in the texts of an image file; undefined if it holds none. */
export function recordTextIn({ comments, xmp }: Pick<Metadata, 'comments' | 'xmp'>): string | undefined {
  const comment = comments?.find((one) => one.keyword === keyword)?.text;
  if (comment !== undefined) return comment;
  return /<tst:settings>([^<]*)<\/tst:settings>/.exec(xmp?.toString('utf8') ?? '')?.[1];
}
