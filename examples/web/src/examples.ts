import content from '../../images/content.jpg';
import stillLife from '../../images/content-still-life.jpg';
import stars from '../../images/style.jpg';
import garden from '../../images/style-garden.jpg';
import town from '../../images/style-town.jpg';

/** A picture of this repository, painted by its own scripts. */
export interface Example {
  readonly name: ExampleName;
  /** For those who do not see it. */
  readonly text: string;
  readonly url: string;
}

export type ExampleName = 'lighthouse' | 'still-life' | 'stars' | 'town' | 'garden';

export const contentExamples: readonly Example[] = [
  { name: 'lighthouse', text: 'A lighthouse by the sea', url: content },
  { name: 'still-life', text: 'A jug and fruit', url: stillLife },
];

export const styleExamples: readonly Example[] = [
  { name: 'stars', text: 'A starry sky in swirls', url: stars },
  { name: 'town', text: 'A town in bold strokes', url: town },
  { name: 'garden', text: 'A garden in dabs', url: garden },
];
