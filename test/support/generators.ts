import { createGenerator, type Generator } from '../../src/generators';

const plain = { scale: [1, 1, 1], offset: [0, 0, 0] } as const;

/**
 * A generator of the negative, 1 - (x + x) / 2.
 *
 * @param smallest side below which it refuses images: it halves them so often and doubles them again
 */
export const negative = (smallest = 1): Generator =>
  createGenerator({
    network: {
      name: 'negative',
      input: plain,
      steps: [
        ...(smallest > 1
          ? ([
              { op: 'averagePool', name: 'small', factor: smallest },
              { op: 'upsample', name: 'large' },
            ] as const)
          : []),
        { op: 'add', name: 'twice', from: 'input', with: 'input' },
      ],
      output: { scale: [-0.5, -0.5, -0.5], offset: [1, 1, 1] },
    },
    weights: new Map(),
  });

/**
 * A generator of the styles `red` and `blue`, which paints one colour: scale 0, and a shift that is the blend.
 *
 * @param blue the colour of the second style
 */
export const redAndBlue = (blue: readonly [number, number, number] = [0, 0, 1]): Generator =>
  createGenerator({
    network: {
      name: 'colours',
      input: plain,
      steps: [{ op: 'instanceNorm', name: 'norm', channels: 3, scale: 'scale', shift: 'shift' }],
      output: plain,
    },
    weights: new Map([
      ['scale', { shape: [3], values: new Float32Array(3) }],
      ['shift', { shape: [3], values: new Float32Array(3) }],
      ['shift/slopes', { shape: [2, 3], values: Float32Array.of(1, 0, 0, ...blue) }],
    ]),
    styles: ['red', 'blue'],
  });
