/** An element of the page by its id, of the class that is expected there. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  return required(document.getElementById(id), type);
}

/** The first element inside of another that a selector finds. */
export function within<T extends Element>(parent: ParentNode, selector: string, type: new () => T): T {
  return required(parent.querySelector(selector), type);
}

function required<T extends Element>(found: Element | null, type: new () => T): T {
  if (!(found instanceof type)) throw new Error(`The page has no such ${type.name}.`);
  return found;
}

/** Draws a picture on a canvas that takes its size. */
export function drawOn(canvas: HTMLCanvasElement, picture: ImageBitmap | HTMLImageElement): void {
  const [width, height] =
    'naturalWidth' in picture
      ? [picture.naturalWidth, picture.naturalHeight]
      : [picture.width, picture.height];
  const scale = Math.min(1, largestShown / Math.max(width, height));
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

/** Longer side of what is shown, in pixels; the picture itself may be larger. */
const largestShown = 2048;
