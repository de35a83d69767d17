/**
 * `npm run measure:video`: flicker of a drawn film whose motion is known, painted in several ways, as the table of
 * docs/guides/video.md. Takes some minutes.
 */
import { useWasm } from '../../src/node/index.ts';
import { measureFilms } from './measure.ts';

await useWasm();
const tenThousandths = (value: number) => (1e4 * value).toPrecision(3);
for (const { scene, flicker, ways } of await measureFilms()) {
  const [alone] = ways;
  console.log(
    `\n**${scene}** (the film itself: ${tenThousandths(flicker.still)} and ${tenThousandths(flicker.moving)})\n`,
  );
  console.log('| each frame | background | objects | loss of style and content | evaluations | seconds |');
  console.log('|---|---|---|---|---|---|');
  for (const way of ways) {
    const of = (area: 'still' | 'moving') => {
      const part =
        way === alone ? '' : ` (${(100 * (way.flicker[area] / alone.flicker[area])).toFixed(0)} %)`;
      return `${tenThousandths(way.flicker[area])}${part}`;
    };
    console.log(
      `| ${way.name} | ${of('still')} | ${of('moving')} | ${way.loss.toPrecision(4)} | ${way.evaluations} | ${way.seconds.toFixed(1)} |`,
    );
  }
}
