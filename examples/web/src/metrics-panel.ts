import type { ImageEvaluation, PixelMetric } from 'tfjs-style-transfer/metrics';
import { byId } from './element';
import { measure } from './laboratory';

const panel = byId('metrics-panel', HTMLElement);
const status = byId('metrics-status', HTMLElement);
const scroll = byId('metrics-scroll', HTMLElement);
let latest = 0;

/** Measures a picture and shows the numbers, unless another is measured meanwhile. */
export async function showMetrics(pictures: Parameters<typeof measure>[0]): Promise<void> {
  latest += 1;
  const turn = latest;
  panel.hidden = false;
  scroll.replaceChildren();
  status.textContent = 'Measuring…';
  try {
    const evaluation = await measure(pictures);
    if (turn !== latest) return;
    scroll.replaceChildren(tableOf(evaluation));
    status.textContent = 'The picture against the two that it is made of, from pixels alone.';
  } catch (error) {
    if (turn === latest)
      status.textContent = `The metrics could not be computed: ${(error as Error).message}`;
  }
}

export function hideMetrics(): void {
  latest += 1;
  panel.hidden = true;
}

type Shown = Extract<PixelMetric, 'ssim' | 'msSsim' | 'psnr' | 'cosineSimilarity' | 'mutualInformation'>;

const rows: readonly {
  readonly metric: Shown;
  readonly name: string;
  readonly text: string;
  readonly digits: number;
}[] = [
  { metric: 'ssim', name: 'SSIM', text: 'Structure, 1 is the same', digits: 3 },
  { metric: 'msSsim', name: 'MS-SSIM', text: 'Structure at several sizes', digits: 3 },
  { metric: 'cosineSimilarity', name: 'Cosine', text: 'Direction of all pixels, 1 is the same', digits: 3 },
  {
    metric: 'mutualInformation',
    name: 'Mutual information',
    text: 'Greys that tell of each other, in bits',
    digits: 2,
  },
  { metric: 'psnr', name: 'PSNR', text: 'Pixel by pixel, in dB', digits: 1 },
];

function tableOf({ content, style }: ImageEvaluation): HTMLTableElement {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const text of ['Metric', 'Photograph', 'Painting']) {
    const cell = Object.assign(document.createElement('th'), { scope: 'col', textContent: text });
    head.append(cell);
  }
  const body = table.createTBody();
  for (const { metric, name, text, digits } of rows) {
    const row = body.insertRow();
    const title = Object.assign(document.createElement('th'), { scope: 'row', textContent: name });
    title.append(Object.assign(document.createElement('small'), { textContent: text }));
    row.append(title);
    for (const values of [content, style])
      row.insertCell().textContent = values?.[metric].toFixed(digits) ?? '';
  }
  return table;
}
