import { photograph } from './camera';
import { within } from './element';
import type { Example, ExampleName } from './examples';
import { announce, dismiss, notify } from './notices';
import { openPicture, type Picture } from './open-picture';

/** A place for a picture: chosen, dropped, pasted, photographed, or one of the examples. */
export interface PictureSlot {
  readonly picture: Picture | undefined;
  /** The example that it holds; undefined for a picture of the visitor. */
  readonly example: ExampleName | undefined;
  /** Puts a picture in; one that cannot be opened leaves the former where it is. */
  put(file: Blob): Promise<void>;
  show(name: ExampleName): Promise<void>;
}

/** Makes a fieldset of the page a slot. */
export function pictureSlot(
  fieldset: HTMLFieldSetElement,
  examples: readonly Example[],
  onChange: () => void,
): PictureSlot {
  const title = within(fieldset, 'legend', HTMLLegendElement).textContent ?? '';
  const shown = within(fieldset, '.drop img', HTMLImageElement);
  const input = within(fieldset, 'input[type=file]', HTMLInputElement);
  let picture: Picture | undefined;
  let example: ExampleName | undefined;
  // Of two pictures on their way the later one counts.
  let latest = 0;

  async function take(file: Promise<Blob> | Blob, from?: Example): Promise<void> {
    latest += 1;
    const turn = latest;
    try {
      const opened = await openPicture(await file);
      if (turn !== latest) return URL.revokeObjectURL(opened.url);
      if (picture) URL.revokeObjectURL(picture.url);
      [picture, example] = [opened, from?.name];
      shown.src = opened.url;
      shown.alt = from?.text ?? 'Your picture';
      for (const button of buttons) button.ariaPressed = String(button.value === example);
      dismiss(title);
      if (!from) announce(`${title}: your picture, ${opened.width} by ${opened.height} pixels.`);
      onChange();
    } catch (error) {
      if (turn === latest) notify(title, (error as Error).message);
    }
  }
  const takeExample = (one: Example) =>
    take(
      fetch(one.url).then(async (response) => {
        if (!response.ok) throw new Error(`The example could not be loaded (${response.status}).`);
        return response.blob();
      }),
      one,
    );

  const buttons = examples.map((one) => {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', value: one.name, title: one.text, ariaPressed: 'false' });
    button.append(Object.assign(new Image(), { src: one.url, alt: one.text, loading: 'lazy' }));
    button.addEventListener('click', () => void takeExample(one));
    return button;
  });
  within(fieldset, '.examples', HTMLElement).append(...buttons);

  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file) void take(file);
    // The same file may be chosen again.
    input.value = '';
  });
  within(fieldset, '.camera', HTMLButtonElement).addEventListener('click', async () => {
    const file = await photograph();
    if (file) await take(file);
  });
  acceptDrops(fieldset, take, title);

  return {
    get picture() {
      return picture;
    },
    get example() {
      return example;
    },
    put: take,
    async show(name) {
      const one = examples.find((each) => each.name === name);
      if (one) await takeExample(one);
    },
  };
}

/** Takes files that are dropped on an element. */
export function acceptDrops(element: HTMLElement, take: (file: Blob) => Promise<void>, topic: string): void {
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('over');
  });
  element.addEventListener('dragleave', () => element.classList.remove('over'));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    element.classList.remove('over');
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void take(file);
    else notify(topic, 'Only files can be dropped here. Save the picture first, or copy and paste it.');
  });
}
