import type { PixelArray } from 'tfjs-style-transfer';
import type { StyleRun, StyleWorker } from 'tfjs-style-transfer/worker';
import { showBalance } from './balance';
import { byId } from './element';
import { contentExamples, styleExamples } from './examples';
import { hang, mark, type Painting } from './gallery';
import type { LossCurve } from './loss-curve';
import { hideMetrics, showMetrics } from './metrics-panel';
import { networkChoice } from './network-choice';
import { announce, dismiss, notify } from './notices';
import { workOffline } from './offline';
import type { Picture } from './open-picture';
import { acceptDrops, pictureSlot } from './picture-slot';
import { type Link, linkOf, publishedSettings, readLink, short } from './settings';
import { settingsForm } from './settings-form';
import { showComparison, showPhotograph, showPicture } from './stage';

/** What the page is doing; styles and tests read it from `body`. */
type State = 'ready' | 'starting' | 'painting' | 'paused' | 'painted';

const [paint, pause, stop, share, save] = ['paint', 'pause', 'stop', 'share', 'download'].map((id) =>
  byId(id, HTMLButtonElement),
);
const [progress, resultActions, curvePanel] = ['progress', 'result-actions', 'curve-panel'].map((id) =>
  byId(id, HTMLElement),
);
let state: State = 'ready';
/** The painting on the easel, once it is done. */
let shown: Painting | undefined;
/** The run in progress; its promise is there once its worker is. */
let run: { promise?: StyleRun; readonly abort: AbortController } | undefined;
let curve: LossCurve | undefined;
/** What the curve shows. */
let drawn: Painting['curve'] | undefined;
let worker: Promise<StyleWorker> | undefined;

const content = pictureSlot(slotOf('content'), contentExamples, contentChanged);
const style = pictureSlot(slotOf('style'), styleExamples, settingsChanged);
const form = settingsForm(settingsChanged);
const network = networkChoice(styleWorker, settingsChanged);

function slotOf(name: string): HTMLFieldSetElement {
  const found = document.querySelector(`fieldset[data-slot=${name}]`);
  if (!(found instanceof HTMLFieldSetElement)) throw new Error(`The page has no slot ${name}.`);
  return found;
}

/** The worker that paints, started when it is needed first, or again after it was lost. */
function styleWorker(): Promise<StyleWorker> {
  worker ??= import('tfjs-style-transfer/worker').then(({ createStyleWorker }) => createStyleWorker());
  return worker;
}

function go(to: State): void {
  state = to;
  const focused = document.activeElement;
  document.body.dataset.state = to;
  const busy = to === 'starting' || to === 'painting' || to === 'paused';
  paint.hidden = busy;
  pause.hidden = stop.hidden = !busy;
  pause.textContent = to === 'paused' ? 'Resume' : 'Pause';
  progress.hidden = !busy;
  resultActions.hidden = to !== 'painted';
  labelPaint();
  // The focus goes from a button that is hidden to the one in its place.
  if (busy && focused === paint) pause.focus();
  if (!busy && (focused === pause || focused === stop)) paint.focus();
}

function labelPaint(): void {
  paint.textContent = !network.ready
    ? 'Fetch VGG-19 and paint'
    : state === 'painted'
      ? 'Paint again'
      : 'Paint';
}

const isBusy = () => run !== undefined;

/** A new photograph goes on the easel, unless that is in use. */
function contentChanged(): void {
  settingsChanged();
  if (!isBusy() && content.picture) void showContent(content.picture);
}

async function showContent(picture: Picture): Promise<void> {
  const image = new Image();
  image.src = picture.url;
  await image.decode().catch(() => {});
  if (isBusy() || content.picture !== picture) return;
  if (state === 'painted') {
    shown = undefined;
    mark();
    hideMetrics();
    curvePanel.hidden = true;
  }
  showPhotograph(image, 'Press Paint. The picture appears here, stroke by stroke.');
  go('ready');
}

let preset = form.settings.preset;

function settingsChanged(): void {
  if (form.settings.preset !== preset) {
    preset = form.settings.preset;
    void network.update(preset);
  }
  labelPaint();
  history.replaceState(null, '', linkOf(currentLink()) || location.pathname);
}

function currentLink(): Link {
  return {
    ...form.settings,
    network: network.chosen,
    content: content.example,
    style: style.example,
  };
}

async function start(): Promise<void> {
  if (isBusy()) return;
  const [photograph, painting] = [content.picture, style.picture];
  if (!photograph || !painting) return notify('paint', 'Choose a photograph and a painting first.');
  dismiss('paint');
  if (!network.ready) {
    // The run begins when the network is here, if the visitor has not begun another meanwhile.
    if (!(await network.fetch()) || isBusy()) return;
  }
  const link = currentLink();
  const abort = new AbortController();
  const curvePoints: [number, number][] = [];
  let before: ImageBitmap | undefined;
  const own: typeof run = { abort };
  run = own;
  go('starting');
  byId('step', HTMLElement).textContent = 'Preparing…';
  byId('left', HTMLElement).textContent = '';
  byId('done', HTMLProgressElement).removeAttribute('value');
  hideMetrics();
  announce('Painting starts.');
  let terms: Readonly<Record<string, number>> = {};
  let facts = '';
  let preview: ImageBitmap | undefined;
  /** The best picture of a run that was stopped. */
  let best: ImageData | undefined;
  try {
    const painter = await styleWorker();
    before = await createImageBitmap(photograph.file);
    await freshCurve();
    drawn = curvePoints;
    const { preset, alpha, beta, size, steps } = link;
    const promise = painter.styleTransfer(photograph.file, painting.file, alpha, beta, {
      preset,
      size,
      iterations: steps,
      weights: link.network,
      previewInterval: 120,
      signal: abort.signal,
      onProgress: (event) => {
        if (event.type === 'start') {
          facts = factsOf(event);
          byId('machine', HTMLElement).textContent = facts;
          if (state === 'starting') go('painting');
        }
        if (event.type === 'step') {
          terms = event.terms;
          const step = curvePoints.length;
          curvePoints.push([step, event.loss]);
          curve?.add(step, event.loss);
          showBalance(terms);
          showStep(event);
        }
        if (event.type === 'preview') {
          preview?.close();
          preview = event.bitmap;
          showPicture(event.bitmap, '');
          if (before) showComparison(before);
        }
        if (event.type === 'interrupted' && event.image) best = pictureOf(event.image);
        if (event.type === 'paused') {
          go('paused');
          announce('Paused.');
        }
        if (event.type === 'resumed') {
          go('painting');
          announce('Painting goes on.');
        }
        if (event.type === 'warning') warn(event);
      },
    });
    own.promise = promise;
    const result = await promise;
    const seconds = Math.max(1, Math.round(result.elapsedMs / 1000));
    await finish({
      bitmap: result.bitmap,
      record: result.settings,
      caption: `${nameOf(link)} in ${seconds} s. Drag across the picture to compare. ${facts}`,
    });
    announce(`Painted in ${seconds} seconds.`);
  } catch (error) {
    if (best) {
      if (!abort.signal.aborted) failed(error);
      const bitmap = await createImageBitmap(best);
      const steps = curvePoints.length - 1;
      await finish({ bitmap, record: undefined, caption: `Stopped after ${steps} steps. ${facts}` });
      announce('Stopped. The picture so far is kept.');
    } else {
      run = undefined;
      if (!abort.signal.aborted) failed(error);
      if (shown) await show(shown);
      else {
        curvePanel.hidden = true;
        go('ready');
        if (content.picture) await showContent(content.picture);
      }
    }
  } finally {
    preview?.close();
    before?.close();
    if (run === own) run = undefined;
  }

  async function finish(made: Pick<Painting, 'bitmap' | 'record' | 'caption'>): Promise<void> {
    if (!photograph || !painting) return;
    const finished: Painting = {
      ...made,
      link,
      content: photograph,
      style: painting,
      title: titleOf(link),
      terms,
      curve: curvePoints,
    };
    run = undefined;
    hang(finished, (chosen) => {
      if (isBusy()) return;
      useSettingsOf(chosen);
      void show(chosen);
    });
    await show(finished);
  }
}

/** Puts a painting on the easel, with all that belongs to it. */
async function show(painting: Painting): Promise<void> {
  shown = painting;
  showPicture(painting.bitmap, painting.caption);
  const photograph = await createImageBitmap(painting.content.file);
  if (shown !== painting) return photograph.close();
  showComparison(photograph);
  photograph.close();
  go('painted');
  if (drawn !== painting.curve) {
    await freshCurve();
    for (const [step, loss] of painting.curve) curve?.add(step, loss);
    drawn = painting.curve;
  }
  showBalance(painting.terms);
  void showMetrics({
    image: pixelsOf(painting.bitmap),
    content: painting.content.file,
    style: painting.style.file,
  });
}

/** Puts the settings of an earlier painting into the form, to start from. */
function useSettingsOf({ link }: Painting): void {
  form.settings = link;
  network.choose(link.network);
  settingsChanged();
}

function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap;
  const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  if (!context) throw new Error('This browser gives no canvas.');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** Pixels of RGB in [0,1], for a canvas. */
function pictureOf({ data, width, height }: PixelArray): ImageData {
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) pixels.data[i * 4 + c] = Math.round(data[i * 3 + c] * 255);
    pixels.data[i * 4 + 3] = 255;
  }
  return pixels;
}

async function freshCurve(): Promise<void> {
  const { lossCurve } = await import('./loss-curve');
  curvePanel.hidden = false;
  curve?.dispose();
  curve = lossCurve(byId('curve', HTMLElement));
}

function showStep(event: {
  readonly iteration: number;
  readonly iterations: number;
  readonly stage: { readonly index: number; readonly count: number };
  readonly done: number;
  readonly secondsLeft: number;
  readonly loss: number;
}): void {
  const { stage, iteration, iterations, done, secondsLeft, loss } = event;
  const part = stage.count > 1 ? `, size ${stage.index + 1} of ${stage.count}` : '';
  byId('done', HTMLProgressElement).value = done;
  byId('step', HTMLElement).textContent = `Step ${iteration} of ${iterations}${part}`;
  const seconds = Math.ceil(secondsLeft);
  const left = seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
  byId('left', HTMLElement).textContent = Number.isFinite(secondsLeft) ? `about ${left} left` : '';
  byId('curve', HTMLElement).setAttribute(
    'aria-label',
    `Loss by step: ${short(loss)} after step ${iteration}`,
  );
}

function factsOf(event: { readonly engine: string; readonly threads?: number | undefined }): string {
  const threads = event.threads ?? 1;
  return `Computed by the ${event.engine} engine with ${threads} ${threads === 1 ? 'thread' : 'threads'}.`;
}

/** Fewer threads or another engine change nothing but the time; all else may matter to the visitor. */
function warn({ code, message }: { readonly code: string; readonly message: string }): void {
  if (code.endsWith('_UNAVAILABLE')) byId('machine-note', HTMLElement).textContent = message;
  else notify(code, message);
}

const nameOf = ({ network }: Link) =>
  `Painted with ${network === 'vgg19' ? 'VGG-19' : 'the built-in network'}`;

/** What tells a painting from the published settings, in few words. */
function titleOf(link: Link): string {
  const published = publishedSettings(link.preset);
  const changed = [...(['alpha', 'beta'] as const).filter((name) => link[name] !== published[name])].map(
    (name) => `${name} ${short(link[name])}`,
  );
  const network = link.network === 'vgg19' ? 'VGG-19' : 'Built in';
  return [`${link.preset}, ${link.size} px`, network, ...changed].join(', ');
}

function failed(error: unknown): void {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  // The next run starts a new one.
  if (code === undefined || code.startsWith('WORKER')) worker = undefined;
  notify('paint', `The picture could not be painted. ${message}`, {
    label: 'Try again',
    run: () => void start(),
  });
}

byId('studio', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void start();
});
pause.addEventListener('click', () => {
  if (run?.promise?.paused) run.promise.resume();
  else run?.promise?.pause();
});
stop.addEventListener('click', () => {
  run?.abort.abort();
});
save.addEventListener('click', async () => {
  if (!shown) return;
  try {
    const { download } = await import('./download');
    await download(shown.bitmap, shown.record);
  } catch (error) {
    notify('download', `The picture could not be saved. ${(error as Error).message}`);
  }
});
share.addEventListener('click', async () => {
  const link = new URL(linkOf(shown?.link ?? currentLink()), location.origin + location.pathname).href;
  const own = shown && (!shown.link.content || !shown.link.style);
  try {
    await navigator.clipboard.writeText(link);
    notify('share', `Link copied.${own ? ' Your pictures are not in it; they stay here.' : ''}`);
  } catch {
    notify('share', `Copy this link: ${link}`);
  }
});

document.addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (!file) return;
  event.preventDefault();
  // Into the slot that has the focus, else the photograph's.
  const inStyle = document.activeElement?.closest('[data-slot=style]');
  void (inStyle ? style : content).put(file);
});
acceptDrops(byId('stage', HTMLElement), (file) => content.put(file), 'Photograph');
// A file beside the slots would replace the page.
for (const type of ['dragover', 'drop']) document.addEventListener(type, (event) => event.preventDefault());

addEventListener('hashchange', () => {
  if (location.hash !== linkOf(currentLink())) void applyLink();
});

async function applyLink(): Promise<void> {
  const { link, problems } = readLink(location.hash);
  form.settings = link;
  preset = link.preset;
  if (problems.length > 0) notify('link', `${problems.join(' ')} The rest is used.`);
  await Promise.all([
    link.content && content.show(link.content),
    link.style && style.show(link.style),
    network.update(preset),
  ]);
  network.choose(link.network);
}

if (matchMedia('(max-width: 920px)').matches) byId('settings', HTMLDetailsElement).open = false;
void applyLink();
void workOffline(isBusy);
