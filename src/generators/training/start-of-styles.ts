import { InvalidArgumentError } from '../../errors';
import { parametersOf, slopesName } from '../../features/generator';
import type { GeneratorNetwork } from '../../features/generator-network';
import { generatorParameters, namedParameters } from '../../features/generator-parameters';
import { showText } from '../../options/show';
import { type NamedTensor, sizeOf } from '../../weights/tensor-file';
import { normParameters } from '../architectures/multi-style';
import type { TrainingSettings } from './options';
import { gather, TrainedParameters } from './trained-parameters';
import { otherArchitecture, type Source, type TrainingStart } from './training-start';

/**
 * The start of a training of several styles (Dumoulin et al. 2017): all numbers of the network are trained, or, where
 * the base has several styles and others are named, scales and shifts of those alone, beside the base's.
 *
 * @param pictures number of style pictures
 */
export function startOfStyles(
  { architecture, styles: given }: Pick<TrainingSettings, 'architecture' | 'styles'>,
  source: Source,
  pictures: number,
): TrainingStart {
  if (given && architecture?.styles) requireSameNames(given, architecture.styles);
  if (architecture && !sameNetwork(architecture.network, source.network))
    throw otherArchitecture(architecture.network, source.network);
  const network = architecture?.network ?? networkOf(source);
  const many = source.vectorLength > 0;
  const baseNames = namesIn(source);
  const names = given ?? architecture?.styles ?? (many ? baseNames : numbered(pictures));
  if (names.length !== pictures) throw wrongCount(names, pictures);
  const known = names.filter((name) => baseNames.includes(name));
  const added = many && known.length === 0;
  if (many && !added && JSON.stringify(names) !== JSON.stringify(baseNames))
    throw wrongNames(names, source.name, baseNames);

  const parameters = generatorParameters(network);
  const own = new Set(
    many
      ? parameters.filter(({ name }) => source.weights.has(slopesName(name))).map(({ name }) => name)
      : normParameters(network).map(({ name }) => name),
  );
  const ownParameters = parameters.filter(({ name }) => own.has(name));
  const of = (style: readonly number[]) => parametersOf({ network, weights: source.weights }, style);
  const vector = of(many ? Array.from({ length: source.vectorLength }, () => 1 / source.vectorLength) : []);
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      gather(of(Array.from({ length: count }, (__, k) => Number(i === k))), ownParameters),
    );
  // Those of the base; new styles start from the mean of all that it has.
  const before = many ? rowsOf(source.vectorLength) : [];
  const rows = many && !added ? before : names.map(() => gather(vector, ownParameters));
  const kept = added ? before : [];
  const trainedParameters = new TrainedParameters(network, vector, { names: own, rows, shared: !added });
  return {
    network,
    weights: source.weights,
    parameters: trainedParameters,
    styles: names,
    added,
    base: source.name,
    trained(values) {
      const all = [...kept, ...names.map((_, i) => trainedParameters.rowOf(values, i))];
      const plain = namedParameters(parameters, trainedParameters.ofNetwork(values, 0));
      const weights = new Map<string, NamedTensor>(plain);
      let from = 0;
      for (const { name, shape } of ownParameters) {
        const size = sizeOf(shape);
        const slopes = new Float32Array(all.length * size);
        for (const [i, row] of all.entries()) slopes.set(row.subarray(from, from + size), i * size);
        weights.set(slopesName(name), { shape: [all.length, size], values: slopes });
        // The value is 0 and the blend of the styles' rows.
        weights.set(name, { shape, values: new Float32Array(size) });
        from += size;
      }
      return { weights, styles: added ? [...baseNames, ...names] : names };
    },
  };
}

/** The base's network, by its name for several styles. */
const networkOf = ({ network, vectorLength }: Source): GeneratorNetwork =>
  vectorLength === 0 && network.name === 'johnson' ? { ...network, name: 'multiStyle' } : network;

const sameNetwork = (one: GeneratorNetwork, other: GeneratorNetwork): boolean =>
  JSON.stringify({ ...one, name: '' }) === JSON.stringify({ ...other, name: '' });

/** Numbers from 1. */
const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => String(i + 1));

/** Names of the styles that the base has, numbers where it knows none. */
const namesIn = ({ styles, vectorLength }: Source): readonly string[] =>
  styles.length === vectorLength ? styles : numbered(vectorLength);

const shown = (names: readonly string[]): string => names.map((name) => showText(name)).join(', ');

function requireSameNames(given: readonly string[], names: readonly string[]): void {
  if (JSON.stringify(given) === JSON.stringify(names)) return;
  const accepted = 'the names of architecture, or no styles';
  const message = `styles is ${shown(given)}, and architecture has ${shown(names)}; accepted: ${accepted}.`;
  throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, {
    option: 'styles',
    value: given,
    accepted,
  });
}

function wrongCount(names: readonly string[], pictures: number): InvalidArgumentError {
  const accepted = `a picture for each of ${shown(names)}`;
  const message = `style is a list of ${pictures}; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_LENGTH', message, { option: 'style', value: pictures, accepted });
}

function wrongNames(
  names: readonly string[],
  base: string | undefined,
  baseNames: readonly string[],
): InvalidArgumentError {
  const accepted = `all of ${shown(baseNames)} in this order, to train them further, or others alone, which are added`;
  const message = `styles is ${shown(names)}, and the base, ${showText(`${base}`)}, has some of them; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_STYLE', message, { option: 'styles', value: names, accepted });
}
