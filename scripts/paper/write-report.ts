import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claims } from './claims';
import { toCsv } from './export-tables';
import { report } from './report';
import type { ReportContent } from './report-content';
import { gainFor, readingsOf, timesOf } from './report-tables';
import { tableOf, verdictOf } from './tables';

/** Writes the report and its numbers: report.html, tables.json, metrics.csv. */
export async function writeReport(content: ReportContent, folder: string): Promise<string> {
  const file = join(folder, 'report.html');
  await writeFile(file, report(content));
  await writeFile(join(folder, 'metrics.csv'), toCsv(content.measured));
  await writeFile(join(folder, 'tables.json'), `${JSON.stringify(numbersOf(content), null, 2)}\n`);
  return file;
}

function numbersOf(content: ReportContent) {
  const { systems, measured, size, iterations, missing, records } = content;
  const order = systems.map((system) => system.id);
  const tables = (['style', 'content'] as const).flatMap((reference) =>
    claims.map((claim) => {
      const gains = readingsOf(systems).map(({ title, baselines }) => {
        const gain = gainFor(content, claim.metric, reference, baselines);
        return reference === 'style'
          ? { over: title, ...gain, claimed: claim.gain, verdict: verdictOf(gain, claim.gain) }
          : { over: title, ...gain };
      });
      return { table: claim.table, ...tableOf(measured, claim.metric, reference, order, 'li2021'), gains };
    }),
  );
  const runs = records.map(({ history: _, fingerprint: __, ...record }) => record);
  return { size, iterations, missing, times: timesOf(content), tables, measured, runs };
}
