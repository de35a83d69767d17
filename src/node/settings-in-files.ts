import type { Metadata } from 'sharp';
import type { SettingsRecord } from '../transfer/settings-record';
import { recordKeyword, recordText, softwareOf } from '../transfer/settings-text';

/** An XMP packet (ISO 16684-1) that holds a record. */
export function xmpOf(record: SettingsRecord): string {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tst="urn:${recordKeyword}">
<xmp:CreatorTool>${softwareOf(record)}</xmp:CreatorTool>
<tst:settings>${recordText(record)}</tst:settings>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`;
}

/** The text of a record in the texts of an image file; undefined if it holds none. */
export function recordTextIn({ comments, xmp }: Pick<Metadata, 'comments' | 'xmp'>): string | undefined {
  const comment = comments?.find((one) => one.keyword === recordKeyword)?.text;
  if (comment !== undefined) return comment;
  return /<tst:settings>([^<]*)<\/tst:settings>/.exec(xmp?.toString('utf8') ?? '')?.[1];
}
