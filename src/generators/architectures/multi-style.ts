import { slopesName } from '../../features/generator';
import type { GeneratorNetwork } from '../../features/generator-network';
import { generatorParameters } from '../../features/generator-parameters';
import { any } from '../../options/table';
import type { NamedTensor } from '../../weights/tensor-file';
import type { Architecture } from './architecture';
import { initialWeights } from './initial-weights';
import { type JohnsonOptions, johnson } from './johnson';

/** Options of {@link multiStyle}. */
export interface MultiStyleOptions extends JohnsonOptions {
  /** Names of the styles, of which each is one. */
  readonly styles: readonly string[];
}

/** Names of styles, as an option. */
export const styleNames = /* @__PURE__ */ any<readonly string[]>(
  'a list of different names',
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string' && name !== '') &&
    new Set(value).size === value.length,
);

/**
 * Dumoulin, Shlens and Kudlur 2017: one network for many styles. Each style has a scale and a shift of its own for
 * every instance norm, and shares all else; a blend of styles is the same blend of their scales and shifts.
 *
 * @param options the styles, and the options of {@link johnson}, which the network is
 * @throws InvalidArgumentError if an option is unknown or not accepted
 * @example
 * ```ts
 * const { network, initialWeights, styles } = multiStyle({ styles: ['mosaic', 'wave'], width: 16 });
 * ```
 */
export function multiStyle({ styles: given, ...options }: MultiStyleOptions): Architecture {
  styleNames.require('styles', given);
  const styles = [...given];
  const network: GeneratorNetwork = { ...johnson(options).network, name: 'multiStyle' };
  return {
    network,
    styles,
    initialWeights(seed) {
      const weights = new Map<string, NamedTensor>(initialWeights(network, seed));
      for (const { name, shape } of normParameters(network)) {
        const plain = weights.get(name)?.values ?? new Float32Array(shape[0]);
        const rows = new Float32Array(styles.length * shape[0]);
        for (let i = 0; i < styles.length; i++) rows.set(plain, i * shape[0]);
        weights.set(slopesName(name), { shape: [styles.length, shape[0]], values: rows });
        // The value is 0 and the blend of the styles' rows.
        weights.set(name, { shape, values: new Float32Array(shape[0]) });
      }
      return weights;
    },
  };
}

/** The scales and shifts of a network's instance norms. */
export function normParameters(network: GeneratorNetwork) {
  const names = new Set(
    network.steps.flatMap((step) => (step.op === 'instanceNorm' ? [step.scale, step.shift] : [])),
  );
  return generatorParameters(network).filter(({ name }) => names.has(name));
}
