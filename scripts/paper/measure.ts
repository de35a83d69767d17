import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../src/features/extractor';
import type { Image } from '../../src/image';
import { evaluate, metricNames } from '../../src/metrics';
import { readImage } from '../../src/node/read-image';
import { type ImagePair, imageName } from './find-images';
import { type RunRecord, runFiles } from './run-record';
import type { MeasuredRun } from './tables';

/**
 * Every metric of the pictures that the runs made, as they are on disk: 8-bit, as people get them.
 *
 * @param size longer side of content and style, as the runs had them
 */
export async function measureRuns(
  records: readonly RunRecord[],
  pairs: readonly ImagePair[],
  { folder, size, extractor }: { folder: string; size: number; extractor: FeatureExtractor },
): Promise<MeasuredRun[]> {
  const images: Image[] = [];
  const read = async (path: string, size?: number) => {
    const image = await readImage(path, { size });
    images.push(image);
    return image;
  };
  const originals = new Map<string, Image>();
  try {
    for (const path of new Set(pairs.flatMap(({ content, style }) => [content, style]))) {
      originals.set(imageName(path), await read(path, size));
    }
    const measured: MeasuredRun[] = [];
    for (const record of records) {
      const { style, content } = await evaluate({
        image: await read(runFiles(folder, record).picture),
        content: originals.get(record.content),
        style: originals.get(record.style),
        extractor,
        metrics: metricNames,
      });
      if (!style || !content) continue;
      measured.push({ pair: `${record.content} / ${record.style}`, system: record.system, style, content });
    }
    return measured;
  } finally {
    tf.dispose(images);
  }
}
