import { byId } from './element';

/** Shows which share of the loss each of its parts has. */
export function showBalance(terms: Readonly<Record<string, number>>): void {
  const total = Object.values(terms).reduce((sum, term) => sum + term, 0);
  const parts = Object.entries(terms).map(([name, term], i) => ({
    name: names[name] ?? name,
    share: total > 0 ? term / total : 0,
    className: `term-${i % 4}`,
  }));
  byId('balance', HTMLElement).replaceChildren(
    ...parts.map(({ share, className }) => {
      const bar = Object.assign(document.createElement('span'), { className });
      bar.style.flexGrow = String(share);
      return bar;
    }),
  );
  byId('balance-text', HTMLElement).replaceChildren(
    ...parts.map(({ name, share, className }) => {
      const item = document.createElement('li');
      item.append(Object.assign(document.createElement('i'), { className }), `${name} ${percent(share)}`);
      return item;
    }),
  );
}

const percent = (share: number) => `${share > 0 && share < 0.01 ? '< 1' : Math.round(share * 100)} %`;

/** What people call the parts of the presets' losses. */
const names: Readonly<Record<string, string>> = {
  content: 'Photograph',
  style: 'Painting',
  perceptual: 'Larger shapes',
  totalVariation: 'Smoothness',
};
