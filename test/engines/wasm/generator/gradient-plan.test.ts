import { expect, it } from 'vitest';
import { gradientTenants } from '../../../../src/engines/wasm/generator/gradient-plan';
import { compileGraph } from '../../../../src/engines/wasm/generator/graph';
import { resolveSteps } from '../../../../src/features/generator-steps';
import { smallGenerators } from '../../../support/small-generators';

it.each(Object.entries(smallGenerators))(
  '%s: each convolution has memory for the gradient of what it reads',
  (_, network) => {
    const graph = compileGraph(resolveSteps(network));
    const { values } = gradientTenants(graph, [24, 16]);
    const { operations } = graph;
    for (const [i, operation] of operations.entries()) {
      if (operation.op !== 'convolution' || !operation.input.some(({ term }) => term.trained)) continue;
      const time = 2 * operations.length + 1 - i;
      expect(values.get(operation.input)).toMatchObject({ from: time, to: time });
    }
  },
);
