/**
 * `npm run measure:video`: flicker of drawn films whose motion is known, painted in several ways, as tables for
 * docs/guides/video.md. Takes some minutes.
 */
import { useWasm } from '../../src/node/index.ts';
import { measureFilms } from './measure.ts';
import { tableOf } from './table.ts';

await useWasm();
for (const film of await measureFilms()) console.log(`${tableOf(film)}\n`);
