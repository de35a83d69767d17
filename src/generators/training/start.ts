import { InvalidArgumentError } from '../../errors';
import { generatorParameters, namedParameters, parameterVector } from '../../features/generator-parameters';
import { showText } from '../../options/show';
import type { Architecture } from '../architectures/architecture';
import { johnson } from '../architectures/johnson';
import type { TrainingSettings } from './options';
import { startOfStyles } from './start-of-styles';
import { TrainedParameters } from './trained-parameters';
import { otherArchitecture, type Source, type TrainingStart } from './training-start';

/**
 * The base of a training, or weights from the seed.
 *
 * @param pictures number of style pictures; undefined where `style` is no list, so that the network has one style
 * @throws InvalidArgumentError `WRONG_NETWORK` if `architecture` is not that of `base`, or one of the two is for many
 *   styles and `style` is one, or for any; `WRONG_LENGTH` if there is not a picture for each style
 */
export async function startOf(
  settings: Pick<TrainingSettings, 'architecture' | 'base' | 'seed' | 'styles'>,
  pictures: number | undefined,
): Promise<TrainingStart> {
  const { architecture, base = architecture ? 'none' : 'own', seed } = settings;
  const source = await sourceOf(architecture, base, seed);
  if (pictures !== undefined) return startOfStyles(settings, source, pictures);
  if (architecture?.styles) throw manyStyles('architecture', architecture.network.name, 'is for many styles');
  if (source.vectorLength > 0)
    throw manyStyles('base', `${source.name}`, `has a style vector of ${source.vectorLength} numbers`);
  const { network, weights, name } = source;
  if (architecture && JSON.stringify(architecture.network) !== JSON.stringify(network))
    throw otherArchitecture(architecture.network, network);
  return {
    network,
    weights,
    parameters: new TrainedParameters(network, parameterVector(network, weights)),
    styles: undefined,
    added: false,
    base: name,
    trained: (values) => ({
      weights: namedParameters(generatorParameters(network), values.slice()),
      styles: [],
    }),
  };
}

async function sourceOf(
  architecture: TrainingSettings['architecture'],
  base: NonNullable<TrainingSettings['base']>,
  seed: number,
): Promise<Source> {
  if (architecture?.predictor) throw anyStyle('architecture', architecture.network.name);
  if (base === 'own') return (await import('../base')).ownBase();
  if (base === 'none') return untrained(architecture ?? johnson(), seed);
  if (base.predictor) throw anyStyle('base', base.name);
  return base;
}

const untrained = ({ network, initialWeights, styles = [] }: Architecture, seed: number): Source => ({
  network,
  weights: initialWeights(seed),
  styles,
  vectorLength: styles.length,
  name: undefined,
});

/** What the options are, for messages. */
const kinds = { architecture: 'an architecture', base: 'a generator' } as const;

function manyStyles(option: keyof typeof kinds, name: string, what: string): InvalidArgumentError {
  const accepted = `${kinds[option]} of one style, or a list of pictures as style`;
  const message = `${option} is ${showText(name)}, which ${what}, and style is one picture; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_NETWORK', message, { option, value: name, accepted });
}

/** What finds the style vector in a picture is trained on tens of thousands of paintings (Ghiasi et al. 2017). */
function anyStyle(option: keyof typeof kinds, name: string): InvalidArgumentError {
  const accepted = `${kinds[option]} of given styles, such as of johnson() or multiStyle()`;
  const message = `${option} is ${showText(name)}, which paints as any picture, and would have to be trained on thousands of paintings; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_NETWORK', message, { option, value: name, accepted });
}
