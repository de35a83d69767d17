import { getPreset, type PresetName, presetNames } from 'tfjs-style-transfer';
import { byId } from './element';
import { mostSteps, type PageSettings, publishedSettings, short } from './settings';

type Settings = Omit<PageSettings, 'network'>;

const preset = byId('preset', HTMLSelectElement);
const [alpha, beta, size, steps] = ['alpha', 'beta', 'size', 'steps'].map((id) => byId(id, HTMLInputElement));
let settings: Settings = publishedSettings();

/** Fills the form, and calls for each change that the visitor makes. */
export function settingsForm(onChange: () => void) {
  preset.append(
    ...presetNames.map((name) =>
      Object.assign(document.createElement('option'), { value: name, textContent: name }),
    ),
  );
  const change = (changed: Partial<Settings>) => {
    settings = { ...settings, ...changed };
    showForm();
    onChange();
  };
  preset.addEventListener('change', () => {
    const name = preset.value as PresetName;
    // Weights and steps were published for one method and mean nothing to another.
    change({ ...publishedSettings(name), size: settings.size });
  });
  alpha.addEventListener('input', () => change({ alpha: weightOf(alpha, 'alpha') }));
  beta.addEventListener('input', () => change({ beta: weightOf(beta, 'beta') }));
  size.addEventListener('input', () => change({ size: Number(size.value) }));
  steps.addEventListener('input', () => change({ steps: Number(steps.value) }));
  byId('reset', HTMLButtonElement).addEventListener('click', () =>
    change(publishedSettings(settings.preset)),
  );
  showForm();
  return {
    get settings() {
      return settings;
    },
    set settings(given: Settings) {
      settings = given;
      showForm();
    },
  };
}

/** A slider's weight: it stands for a power of ten of the published one. */
function weightOf(slider: HTMLInputElement, name: 'alpha' | 'beta'): number {
  const published = getPreset(settings.preset)[name];
  const power = Number(slider.value);
  return power === 0 ? published : Number((published * 10 ** power).toPrecision(3));
}

function showForm(): void {
  const published = getPreset(settings.preset);
  preset.value = settings.preset;
  const { description } = published;
  text('preset-text', `${description[0].toUpperCase()}${description.slice(1)}.`);
  for (const [name, slider] of [
    ['alpha', alpha],
    ['beta', beta],
  ] as const) {
    slider.value = String(Math.log10(settings[name] / published[name]));
    text(`${name}-value`, short(settings[name]));
    slider.setAttribute(
      'aria-valuetext',
      `${short(settings[name])}, ${timesPublished(settings[name] / published[name])}`,
    );
  }
  text('weights-text', meaningOf(settings.beta / settings.alpha / (published.beta / published.alpha)));
  size.value = String(settings.size);
  text('size-value', `${settings.size} px`);
  text('size-text', sizeText(settings.size));
  size.setAttribute('aria-valuetext', `${settings.size} pixels`);
  steps.max = String(Math.max(mostSteps, published.iterations));
  steps.value = String(settings.steps);
  text('steps-value', String(settings.steps));
}

function timesPublished(factor: number): string {
  return Math.abs(factor - 1) < 0.01 ? 'as published' : `${short(factor)} times the published weight`;
}

/** What a change of beta against alpha does to the picture. */
function meaningOf(factor: number): string {
  const times = factor >= 1 ? factor : 1 / factor;
  if (times < 1.2) return 'Balanced as published: what matters is beta against alpha, not either alone.';
  const much = `${short(Number(times.toPrecision(2)))} times`;
  if (factor > 30)
    return `The painting counts ${much} more than published: strokes take over, shapes dissolve.`;
  if (factor > 1) return `The painting counts ${much} more than published: bolder strokes, looser shapes.`;
  if (factor > 1 / 30)
    return `The photograph counts ${much} more than published: shapes stay, strokes are lighter.`;
  return `The photograph counts ${much} more than published: it hardly changes but for a breath of colour.`;
}

function sizeText(pixels: number): string {
  const time = (pixels / 384) ** 2;
  const against = time > 1.3 ? `About ${short(Number(time.toPrecision(2)))} times the time of 384.` : '';
  if (pixels < 256) return `A quick sketch. Strokes are large in it.`;
  return `The longer side. Larger pictures have finer strokes. ${against}`.trim();
}

function text(id: string, value: string): void {
  byId(id, HTMLElement).textContent = value;
}
