import { byId, drawOn } from './element';

const [after, before] = ['after', 'before'].map((id) => byId(id, HTMLCanvasElement));
const compare = byId('compare', HTMLElement);
const split = byId('split', HTMLInputElement);
const caption = byId('caption', HTMLElement);

split.addEventListener('input', showSplit);

function showSplit(): void {
  compare.style.setProperty('--split', `${split.value}%`);
  split.setAttribute(
    'aria-valuetext',
    `${split.value} % photograph, ${100 - Number(split.value)} % painting`,
  );
}

/** Shows the photograph alone. */
export function showPhotograph(photograph: HTMLImageElement | ImageBitmap, text: string): void {
  drawOn(before, photograph);
  showPicture(photograph, text);
  after.setAttribute('aria-label', 'The photograph');
  split.hidden = true;
}

/** Shows a picture that is painted, over what was shown. */
export function showPicture(picture: HTMLImageElement | ImageBitmap, text?: string): void {
  drawOn(after, picture);
  // Small pictures are enlarged, large ones fit into the window.
  compare.style.setProperty('--fit', `calc(${after.width / after.height} * min(68vh, 900px))`);
  after.setAttribute('aria-label', 'The painted picture');
  if (text !== undefined) caption.textContent = text;
}

/** Lets the visitor compare the painted picture with its photograph. */
export function showComparison(photograph: CanvasImageSource): void {
  [before.width, before.height] = [after.width, after.height];
  before.getContext('2d')?.drawImage(photograph, 0, 0, before.width, before.height);
  if (split.hidden) split.value = '0';
  split.hidden = false;
  showSplit();
}
