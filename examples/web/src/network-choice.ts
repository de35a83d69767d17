import type { PresetName } from 'tfjs-style-transfer';
import type { StyleWorker } from 'tfjs-style-transfer/worker';
import { byId } from './element';
import { isFetched } from './laboratory';
import { announce, dismiss, notify } from './notices';
import { weightBytes, worksEmbedded } from './preset-layers';
import type { NetworkName } from './settings';

const [embedded, vgg19] = ['embedded', 'vgg19'].map((value) => {
  const found = document.querySelector(`input[name=network][value=${value}]`);
  if (!(found instanceof HTMLInputElement)) throw new Error('The page has no such radio button.');
  return found;
});
const button = byId('fetch', HTMLButtonElement);
const bar = byId('fetched', HTMLProgressElement);
const text = byId('vgg19-text', HTMLElement);

/** The choice between the embedded network and VGG-19, which is fetched where the visitor asks for it. */
export interface NetworkChoice {
  readonly chosen: NetworkName;
  /** Whether the chosen network is here. */
  readonly ready: boolean;
  choose(network: NetworkName): void;
  /** Looks again at what is here, for another preset. */
  update(preset: PresetName): Promise<void>;
  /** Fetches VGG-19. @returns whether it is here now */
  fetch(): Promise<boolean>;
}

export function networkChoice(worker: () => Promise<StyleWorker>, onChange: () => void): NetworkChoice {
  let preset: PresetName = 'li2021';
  let fetched = new Set<number>();
  let fetching: { readonly abort: AbortController; readonly done: Promise<boolean> } | undefined;
  const here = () => [...fetched].some((bytes) => bytes >= weightBytes(preset));

  function show(): void {
    const megabytes = `${(weightBytes(preset) / 1e6).toFixed(1)} MB`;
    const shallow = worksEmbedded(preset);
    embedded.disabled = !shallow;
    vgg19.disabled = !here() && shallow;
    if (!shallow) vgg19.checked = true;
    text.textContent = here()
      ? 'The network of the papers. Finer strokes. It is here.'
      : `The network of the papers. Finer strokes. ${megabytes}, once.${shallow ? '' : ' This method needs it.'}`;
    button.hidden = here() && !fetching;
    button.textContent = fetching ? 'Cancel' : `Fetch VGG-19 (${megabytes})`;
    bar.hidden = !fetching;
    onChange();
  }

  async function load(): Promise<boolean> {
    const abort = new AbortController();
    const wanted = { preset, bytes: weightBytes(preset) };
    dismiss('weights');
    bar.value = 0;
    const done = (async () => {
      try {
        await (await worker()).fetchWeights({
          weights: 'vgg19',
          preset: wanted.preset,
          signal: abort.signal,
          onProgress: (event) => {
            if (event.type === 'weights') bar.value = event.loadedBytes / (event.totalBytes ?? wanted.bytes);
          },
        });
        fetched.add(wanted.bytes);
        vgg19.checked = true;
        announce('VGG-19 is here. The next picture is painted with it.');
        return true;
      } catch (error) {
        if (!abort.signal.aborted)
          notify(
            'weights',
            `VGG-19 could not be fetched; the built-in network still works. ${reasonOf(error)}`,
            {
              label: 'Try again',
              run: () => void load(),
            },
          );
        return false;
      } finally {
        fetching = undefined;
        show();
      }
    })();
    fetching = { abort, done };
    show();
    return done;
  }

  button.addEventListener('click', () => {
    if (fetching) fetching.abort.abort();
    else void load();
  });
  for (const radio of [embedded, vgg19]) radio.addEventListener('change', onChange);

  return {
    get chosen() {
      return vgg19.checked ? 'vgg19' : 'embedded';
    },
    get ready() {
      return !vgg19.checked || here();
    },
    choose(network) {
      (network === 'vgg19' ? vgg19 : embedded).checked = true;
      show();
    },
    async update(name) {
      preset = name;
      show();
      if (!here() && (await isFetched(name).catch(() => false))) {
        fetched = new Set([...fetched, weightBytes(name)]);
        show();
      }
    },
    fetch: () => fetching?.done ?? load(),
  };
}

/** The library's message names every server and file; of those that do not answer a visitor needs no list. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return code === 'DOWNLOAD_FAILED'
    ? 'Its servers do not answer as they should: is there a connection?'
    : message;
}
