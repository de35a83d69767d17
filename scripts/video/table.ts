import type { MeasuredFilm } from './measure.ts';

/** The figures of a film as a table in Markdown: flicker in 1e-4, and in parts of that of frames by themselves. */
export function tableOf({ scene, flicker, ways }: MeasuredFilm): string {
  const [alone] = ways;
  const rows = ways.map((way) => {
    const of = (area: 'still' | 'moving') => {
      const part = Math.round((100 * way.flicker[area]) / alone.flicker[area]);
      return `${tenThousandths(way.flicker[area])}${way === alone ? '' : ` (${part} %)`}`;
    };
    const { name, loss, evaluations, seconds } = way;
    return `| ${name} | ${of('still')} | ${of('moving')} | ${loss.toPrecision(4)} | ${evaluations} | ${seconds.toFixed(1)} |`;
  });
  return [
    `${scene}; the film itself: ${tenThousandths(flicker.still)} and ${tenThousandths(flicker.moving)}`,
    '',
    '| each frame | background | objects | loss of style and content | evaluations | seconds |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const tenThousandths = (value: number) => (1e4 * value).toPrecision(3);
