import type { SettingsRecord } from 'tfjs-style-transfer';
import { byId, drawOn } from './element';
import type { Picture } from './open-picture';
import type { Link } from './settings';

/** A picture that was painted in this visit. */
export interface Painting {
  readonly bitmap: ImageBitmap;
  readonly content: Picture;
  readonly style: Picture;
  readonly link: Link;
  /** The record of its run; undefined if it was stopped, because such a picture cannot be repeated. */
  readonly record: SettingsRecord | undefined;
  /** One line about it. */
  readonly title: string;
  readonly caption: string;
  readonly terms: Readonly<Record<string, number>>;
  readonly curve: readonly (readonly [step: number, loss: number])[];
}

const most = 12;
const paintings: Painting[] = [];
const list = byId('paintings', HTMLElement);

/** Hangs a painting beside the earlier ones of this visit; the oldest make room. */
export function hang(painting: Painting, show: (painting: Painting) => void): void {
  paintings.push(painting);
  const button = document.createElement('button');
  Object.assign(button, { type: 'button' });
  const small = document.createElement('canvas');
  drawOn(small, painting.bitmap);
  small.ariaHidden = 'true';
  button.append(small, painting.title);
  button.addEventListener('click', () => {
    mark(button);
    show(painting);
  });
  const item = document.createElement('li');
  item.append(button);
  list.append(item);
  if (paintings.length > most) {
    paintings.shift()?.bitmap.close();
    list.firstElementChild?.remove();
  }
  mark(button);
}

/** Marks the painting that is shown; none without an argument. */
export function mark(shown?: HTMLButtonElement): void {
  // A single painting that is on the easel needs no list.
  byId('gallery', HTMLElement).hidden = paintings.length <= (shown ? 1 : 0);
  for (const button of list.querySelectorAll('button')) button.ariaPressed = String(button === shown);
  // The list alone: the picture itself stays in sight.
  if (shown) list.scrollTo({ left: shown.offsetLeft - list.offsetLeft - list.clientWidth / 2 });
}
