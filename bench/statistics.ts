import * as tf from '@tensorflow/tfjs-core';
import type { Vgg19Layer } from '../src/features/vgg19/layers';
import { contentLoss, edgeLoss, type Loss, mrfLoss, styleLoss, sum } from '../src/losses';
import { createObjective } from '../src/objective';
import type { BenchEngine } from './engines';
import { benchWeights, scene } from './scene';
import { elapsed, timeInTurn } from './timing';

/** What a statistic of style takes beside an evaluation of the network. */
export interface StatisticTimes {
  readonly engine: string;
  readonly size: number;
  readonly statistic: string;
  /** Of an evaluation of the content loss at relu4_2 with this loss, the least of all rounds. */
  readonly seconds: number;
  /** What it takes beyond Gram matrices, as a part of an evaluation with them. */
  readonly beyondGram: number;
}

const layers = [
  'relu1_1',
  'relu2_1',
  'relu3_1',
  'relu4_1',
  'relu5_1',
] as const satisfies readonly Vgg19Layer[];

/** Evaluations of the layers of `crowsonkb` with each statistic in turn. */
export async function timeStatistics(
  engine: BenchEngine,
  size: number,
  rounds: number,
): Promise<StatisticTimes[]> {
  const weights = await benchWeights('conv5_1');
  const extractor = await engine.create(weights, 'relu5_1');
  const { content, style } = await scene(size);
  const features = extractor.extract(style, layers);
  const wanted = extractor.extract(content, ['relu4_2']);
  const losses: Readonly<Record<string, () => Loss>> = {
    gram: () => styleLoss(features),
    'mean-variance': () => styleLoss(features, { statistic: 'mean-variance' }),
    wasserstein: () => styleLoss(features, { statistic: 'wasserstein' }),
    histogram: () => styleLoss(features, { statistic: 'histogram' }),
    'mrfLoss at relu4_1': () => mrfLoss(features, { layers: ['relu4_1'] }),
    'edgeLoss and gram': () => sum([edgeLoss(content), styleLoss(features)]),
  };
  const contenders = Object.entries(losses).map(([name, make]) => {
    const loss = sum([contentLoss(wanted), make()]);
    const objective = createObjective(extractor, loss, [size, size]);
    const run = () =>
      elapsed(async () => {
        const { value, gradient, terms } = objective.evaluate(content);
        await value.data();
        tf.dispose([value, gradient, terms]);
      });
    const dispose = () => {
      objective.dispose();
      loss.dispose?.();
    };
    return { name, run, dispose };
  });
  const times = await timeInTurn(contenders, rounds);
  for (const { dispose } of contenders) dispose();
  tf.dispose([features, wanted, content, style] as tf.TensorContainer);
  extractor.dispose();
  return contenders.map(({ name }, i) => ({
    engine: engine.name,
    size,
    statistic: name,
    seconds: times[i].min,
    beyondGram: times[i].min / times[0].min - 1,
  }));
}
