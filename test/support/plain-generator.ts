import type { GeneratorNetwork } from '../../src/features/generator-network';
import { noiseValues } from '../../src/features/generator-noise';
import { padsOf, resolveSteps } from '../../src/features/generator-steps';
import type { NamedTensors } from '../../src/weights/tensor-file';

/** A map [height][width][channels] in double precision. */
export interface PlainMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

/** A tensor's numbers, which may be in double precision. */
export type PlainTensors = ReadonlyMap<string, { readonly values: ArrayLike<number> }> | NamedTensors;

/**
 * A generator computed by the definitions of its steps, in double precision: what engines are compared with.
 * @returns the image before it is clipped
 */
export function plainGenerator(
  network: GeneratorNetwork,
  weights: PlainTensors,
  image: PlainMap,
  seed = 0,
): PlainMap {
  const tensor = (name: string) => weights.get(name)?.values ?? [];
  const { input, output } = network;
  const outputs: PlainMap[] = [];
  const first = each(image, (x, c) => x * input.scale[c] + input.offset[c]);
  for (const [i, { step, inputs }] of resolveSteps(network).entries()) {
    const [read, other] = inputs.map((index) => (index < 0 ? first : outputs[index]));
    const { height, width, channels } = read;
    switch (step.op) {
      case 'conv': {
        const { size, stride = 1, padding, channelsOut: n } = step;
        const kernel = Float64Array.from(tensor(step.kernel));
        const bias = step.bias === undefined ? new Float64Array(n) : tensor(step.bias);
        const [pad] = padsOf(step);
        const [rows, columns] = [height / stride, width / stride];
        const values = new Float64Array(rows * columns * n);
        for (let y = 0; y < rows; y++) {
          for (let x = 0; x < columns; x++) {
            const sums = values.subarray((y * columns + x) * n, (y * columns + x + 1) * n);
            sums.set(bias);
            for (let ky = 0; ky < size; ky++) {
              const row = inside(y * stride + ky - pad, height, padding);
              for (let kx = 0; kx < size; kx++) {
                const column = inside(x * stride + kx - pad, width, padding);
                if (row < 0 || column < 0) continue;
                for (let c = 0; c < channels; c++) {
                  const value = at(read, row, column, c);
                  const from = ((ky * size + kx) * channels + c) * n;
                  for (let o = 0; o < n; o++) sums[o] += value * kernel[from + o];
                }
              }
            }
          }
        }
        outputs.push({ height: rows, width: columns, channels: n, values });
        break;
      }
      case 'transposedConv': {
        const { size, pad, channelsOut: n } = step;
        const kernel = Float64Array.from(tensor(step.kernel));
        const bias = step.bias === undefined ? undefined : tensor(step.bias);
        const made = map(2 * height, 2 * width, n, (_y, _x, o) => bias?.[o] ?? 0);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            for (let ky = 0; ky < size; ky++) {
              for (let kx = 0; kx < size; kx++) {
                const [row, column] = [2 * y + ky - pad, 2 * x + kx - pad];
                if (row < 0 || column < 0 || row >= 2 * height || column >= 2 * width) continue;
                const to = (row * 2 * width + column) * n;
                for (let c = 0; c < channels; c++) {
                  const value = at(read, y, x, c);
                  const from = ((ky * size + kx) * channels + c) * n;
                  for (let o = 0; o < n; o++) made.values[to + o] += value * kernel[from + o];
                }
              }
            }
          }
        }
        outputs.push(made);
        break;
      }
      case 'instanceNorm': {
        const [scale, shift] = [tensor(step.scale), tensor(step.shift)];
        const count = height * width;
        const [means, deviations] = [new Float64Array(channels), new Float64Array(channels)];
        for (const [k, value] of read.values.entries()) means[k % channels] += value / count;
        for (const [k, value] of read.values.entries())
          deviations[k % channels] += (value - means[k % channels]) ** 2 / count;
        outputs.push(
          each(
            read,
            (x, c) =>
              ((x - means[c]) / Math.sqrt(deviations[c] + (step.epsilon ?? 1e-5))) * scale[c] + shift[c],
          ),
        );
        break;
      }
      case 'relu':
        outputs.push(each(read, (x) => Math.max(0, x)));
        break;
      case 'leakyRelu':
        outputs.push(each(read, (x) => (x > 0 ? x : x * (step.slope ?? 0.01))));
        break;
      case 'sigmoid':
        outputs.push(each(read, (x) => 1 / (1 + Math.exp(-x))));
        break;
      case 'tanh':
        outputs.push(each(read, Math.tanh));
        break;
      case 'add':
        outputs.push(map(height, width, channels, (y, x, c) => at(read, y, x, c) + at(other, y, x, c)));
        break;
      case 'concat':
        outputs.push(
          map(height, width, channels + other.channels, (y, x, c) =>
            c < channels ? at(read, y, x, c) : at(other, y, x, c - channels),
          ),
        );
        break;
      case 'upsample':
        outputs.push(map(2 * height, 2 * width, channels, (y, x, c) => at(read, y >> 1, x >> 1, c)));
        break;
      case 'averagePool': {
        const { factor } = step;
        outputs.push(
          map(height / factor, width / factor, channels, (y, x, c) => {
            let sum = 0;
            for (let i = 0; i < factor * factor; i++)
              sum += at(read, y * factor + Math.floor(i / factor), x * factor + (i % factor), c);
            return sum / factor ** 2;
          }),
        );
        break;
      }
      case 'noise': {
        const values = Float64Array.from(noiseValues(seed, i, height * width * step.channels));
        outputs.push({ height, width, channels: step.channels, values });
        break;
      }
    }
  }
  return each(outputs[outputs.length - 1], (x, c) => x * output.scale[c] + output.offset[c]);
}

function map(
  height: number,
  width: number,
  channels: number,
  value: (y: number, x: number, c: number) => number,
): PlainMap {
  const values = Float64Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return value(Math.floor(pixel / width), pixel % width, i % channels);
  });
  return { height, width, channels, values };
}

const each = (from: PlainMap, value: (x: number, c: number) => number): PlainMap => ({
  ...from,
  values: from.values.map((x, i) => value(x, i % from.channels)),
});

const at = (map: PlainMap, y: number, x: number, c: number) =>
  map.values[(y * map.width + x) * map.channels + c];

/** The row or column that stands at `index`; -1 where zeros do. */
function inside(index: number, size: number, padding: 'zero' | 'replicate' | 'reflect'): number {
  if (index >= 0 && index < size) return index;
  if (padding === 'zero') return -1;
  if (padding === 'replicate') return index < 0 ? 0 : size - 1;
  return index < 0 ? -index : 2 * (size - 1) - index;
}
