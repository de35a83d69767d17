import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../src/random.ts';

/** Side of the windows that the first convolution reads, and channels of the two after it. */
const [side, hidden] = [3, 64] as const;

/** Slope of a leaky ReLU below zero. */
const leak = 0.2;

/** Adam, with the short memory that adversarial trainings take. */
const [beta1, beta2, epsilon] = [0.5, 0.99, 1e-8] as const;

/** What the layers gave for a map, for the way back; rows are windows of the map. */
interface Activations {
  /** The map in units of the painting's deviations. */
  readonly map: tf.Tensor4D;
  readonly first: tf.Tensor2D;
  readonly second: tf.Tensor2D;
  /** [windows, 1]. */
  readonly scores: tf.Tensor2D;
}

/**
 * The discriminator of Li and Wand 2016, "Precomputed real-time texture synthesis with Markovian generative adversarial
 * networks": it scores every patch of a feature map of VGG-19 for how much like the painting's it is, above 0 for the
 * painting's, and learns by the hinge loss. Here a 3x3 convolution and two of 1x1, with leaky ReLUs. Maps are divided
 * by the painting's deviation of each channel, in place of the paper's batch norm.
 */
export class PatchDiscriminator {
  private readonly mean: tf.Tensor;
  private readonly deviation: tf.Tensor;
  private weights: tf.Tensor2D[];
  private means: tf.Tensor[];
  private squares: tf.Tensor[];
  private steps = 0;

  /** @param painting its feature map, [1, h, w, c], which remains the caller's */
  constructor(painting: tf.Tensor4D, seed: number) {
    const channels = painting.shape[3];
    const random = new Random(seed);
    const drawn = (rows: number, columns: number) =>
      tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.normal(0, Math.sqrt(2 / rows))),
        [rows, columns],
      );
    this.weights = [
      drawn(side * side * channels, hidden),
      tf.zeros([1, hidden]),
      drawn(hidden, hidden),
      tf.zeros([1, hidden]),
      drawn(hidden, 1),
      tf.zeros([1, 1]),
    ];
    [this.means, this.squares] = [0, 1].map(() => this.weights.map((one) => tf.zerosLike(one)));
    const moments = tf.tidy(() => tf.moments(painting, [1, 2], true));
    this.mean = moments.mean;
    this.deviation = tf.tidy(() => tf.add(tf.sqrt(moments.variance), 1));
    moments.variance.dispose();
  }

  /**
   * The hinge loss of painted patches, the mean of max(0, 1 - score): what the generator minimises. Differentiable.
   *
   * @param painted [1, h, w, c]
   */
  hinge(painted: tf.Tensor4D): tf.Scalar {
    const of = tf.customGrad((input) => {
      const map = input as tf.Tensor4D;
      const value = tf.tidy(() => {
        const { scores } = this.scored(map);
        return tf.mean(tf.relu(tf.sub(1, scores))) as tf.Scalar;
      });
      const gradFunc = (slope: tf.Tensor) =>
        tf.tidy(() => {
          const found = this.scored(map);
          const { ofMap } = this.back(found, hingeSlope(found.scores, 1));
          return tf.mul(slope, tf.div(ofMap(), this.deviation));
        });
      return { value, gradFunc };
    });
    return of(painted) as tf.Scalar;
  }

  /**
   * A step of Adam against the hinge loss of both: the mean of max(0, 1 - score) over the painting's patches and of
   * max(0, 1 + score) over painted ones.
   *
   * @returns the loss before the step
   */
  learn(painting: tf.Tensor4D, painted: tf.Tensor4D, rate: number): number {
    this.steps++;
    const { loss, moved } = tf.tidy(() => {
      const sides = [
        [painting, 1],
        [painted, -1],
      ] as const;
      const found = sides.map(([map, sign]) => {
        const scored = this.scored(map);
        const ofWeights = this.back(scored, hingeSlope(scored.scores, sign)).ofWeights();
        return { loss: tf.mean(tf.relu(tf.sub(1, tf.mul(sign, scored.scores)))), ofWeights };
      });
      const gradients = found[0].ofWeights.map((one, i) => tf.add(one, found[1].ofWeights[i]));
      return {
        loss: tf.add(found[0].loss, found[1].loss),
        moved: gradients.map((gradient, i) => this.moved(i, gradient, rate)),
      };
    });
    tf.dispose([this.weights, this.means, this.squares]);
    for (const { weight, mean, square } of moved) for (const one of [weight, mean, square]) tf.keep(one);
    this.weights = moved.map(({ weight }) => weight);
    this.means = moved.map(({ mean }) => mean);
    this.squares = moved.map(({ square }) => square);
    const [value] = loss.dataSync();
    loss.dispose();
    return value;
  }

  dispose(): void {
    tf.dispose([this.weights, this.means, this.squares, this.mean, this.deviation]);
  }

  private moved(i: number, gradient: tf.Tensor, rate: number) {
    const mean = tf.add(tf.mul(this.means[i], beta1), tf.mul(gradient, 1 - beta1));
    const square = tf.add(tf.mul(this.squares[i], beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = tf.sqrt(tf.div(square, 1 - beta2 ** this.steps));
    const step = tf.div(tf.mul(mean, rate / (1 - beta1 ** this.steps)), tf.add(root, epsilon));
    return { weight: tf.sub(this.weights[i], step) as tf.Tensor2D, mean, square };
  }

  private scored(input: tf.Tensor4D): Activations {
    const [first, ofFirst, second, ofSecond, last, ofLast] = this.weights;
    const map: tf.Tensor4D = tf.div(tf.sub(input, this.mean), this.deviation);
    const rows: tf.Tensor2D = tf.reshape(tf.conv2d(map, this.kernel(first), 1, 'valid'), [-1, hidden]);
    const one = leaky(tf.add(rows, ofFirst));
    const two = leaky(tf.add(tf.matMul(one, second), ofSecond));
    return { map, first: one, second: two, scores: tf.add(tf.matMul(two, last), ofLast) };
  }

  private back({ map, first, second }: Activations, slope: tf.Tensor2D) {
    const [ofFirst, , ofSecond, , ofLast] = this.weights;
    // Transposed by hand: tfjs-wasm's products are fast without its flags only.
    const times = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.matMul(a, tf.transpose(b));
    const summed = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.transpose(a), b);
    const two: tf.Tensor2D = tf.mul(times(slope, ofLast), leakySlope(second));
    const one: tf.Tensor2D = tf.mul(times(two, ofSecond), leakySlope(first));
    const sums = (of: tf.Tensor2D): tf.Tensor2D => tf.sum(of, 0, true);
    const [, height, width] = map.shape;
    return {
      /** The gradient with respect to the map, as a convolution with the mirrored kernel. */
      ofMap: (): tf.Tensor4D => {
        const border = side - 1;
        const map: tf.Tensor4D = tf.reshape(one, [1, height - border, width - border, hidden]);
        const mirrored: tf.Tensor4D = tf.transpose(tf.reverse(this.kernel(ofFirst), [0, 1]), [0, 1, 3, 2]);
        const around: [number, number] = [border, border];
        return tf.conv2d(tf.pad(map, [[0, 0], around, around, [0, 0]]), mirrored, 1, 'valid');
      },
      ofWeights: () => [
        summed(windowsOf(map), one),
        sums(one),
        summed(first, two),
        sums(two),
        summed(second, slope),
        sums(slope),
      ],
    };
  }

  private kernel(rows: tf.Tensor2D): tf.Tensor4D {
    return tf.reshape(rows, [side, side, rows.shape[0] / side ** 2, hidden]);
  }
}

/** The slope of the mean of max(0, 1 - sign * score). */
const hingeSlope = (scores: tf.Tensor2D, sign: 1 | -1): tf.Tensor2D =>
  tf.mul(tf.cast(tf.less(tf.mul(sign, scores), 1), 'float32'), -sign / scores.size);

const leaky = (x: tf.Tensor2D): tf.Tensor2D => tf.maximum(x, tf.mul(x, leak));

const leakySlope = (y: tf.Tensor2D): tf.Tensor2D =>
  tf.add(tf.mul(tf.cast(tf.greater(y, 0), 'float32'), 1 - leak), leak);

/** Every window of a map in a row: [(h - 2) (w - 2), 9 c]. */
function windowsOf(map: tf.Tensor4D): tf.Tensor2D {
  const [, height, width, channels] = map.shape;
  const [rows, columns] = [height - side + 1, width - side + 1];
  const parts = Array.from({ length: side ** 2 }, (_, i) =>
    tf.slice4d(map, [0, Math.floor(i / side), i % side, 0], [1, rows, columns, channels]),
  );
  return tf.reshape(tf.concat(parts, 3), [rows * columns, side ** 2 * channels]);
}
