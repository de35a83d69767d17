import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadVgg19 } from '../src/engines';
import { deepestLayer } from '../src/features/vgg19/layers';
import { directoryWeights } from '../src/node/directory-weights';
import { getPreset, type PresetName, presetLayers } from '../src/transfer/presets';
import type { StepEvent } from '../src/transfer/progress';
import type { Scales } from '../src/transfer/scales';
import { styleTransfer } from '../src/transfer/style-transfer';
import { scene, sharedFolder } from './scene';

/** A run of `styleTransfer` at one size or several. */
export interface ScaleTimes {
  readonly size: number;
  readonly preset: PresetName;
  readonly scales: string;
  /** Evaluations of each stage. */
  readonly evaluations: readonly number[];
  /** Evaluations of all stages, each counted as its part of the pixels of the result. */
  readonly work: number;
  readonly loss: number;
  readonly seconds: number;
  /** Seconds and work until the final loss of the run at one size; undefined where it is not reached. */
  readonly secondsToTarget?: number | undefined;
  readonly workToTarget?: number | undefined;
}

/** Paints the scene at one size, then in stages, and watches when the second run has the final loss of the first. */
export async function timeScales(
  size: number,
  preset: PresetName,
  scales: Scales = 'auto',
): Promise<ScaleTimes[]> {
  const layers = presetLayers(getPreset(preset));
  const lastLayer = deepestLayer(layers);
  // The folder with 32-bit weights ends at conv3_4.
  const folder = resolve(sharedFolder, layers.some((layer) => /[45]_/.test(layer)) ? 'vgg19-uint8' : 'vgg19');
  if (!existsSync(folder)) throw new Error(`Benchmarks need VGG-19's weights: ${folder} is not there.`);
  const extractor = await loadVgg19({ weights: directoryWeights(folder), lastLayer, engine: 'wasm' });
  const { content, style } = await scene(size);
  const at = async (name: string, given: Scales, target: number): Promise<ScaleTimes> => {
    const evaluations: number[] = [];
    let reached: { seconds: number; work: number } | undefined;
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    const worked = (steps: readonly StepEvent[]) =>
      steps.reduce((sum, step) => sum + step.evaluations * (step.stage.width / size) ** 2, 0);
    /** The last step of each stage. */
    const last: StepEvent[] = [];
    const sizes = typeof given === 'object' ? { scales: given } : { scales: given, size };
    const { image, loss } = await styleTransfer(content, style, {
      ...sizes,
      preset,
      extractor,
      onProgress(event) {
        if (event.type !== 'step') return;
        last[event.stage.index] = event;
        evaluations[event.stage.index] = event.evaluations;
        if (event.stage.width === size && event.loss <= target)
          reached ??= { seconds: seconds(), work: worked(last) };
      },
    });
    image.dispose();
    const [secondsToTarget, workToTarget] = [reached?.seconds, reached?.work];
    const found = { evaluations, work: worked(last), loss, seconds: seconds() };
    return { size, preset, scales: name, ...found, secondsToTarget, workToTarget };
  };
  try {
    const one = await at('1', 1, -Infinity);
    const several = await at(typeof scales === 'object' ? 'as given' : 'auto', scales, one.loss);
    return [{ ...one, secondsToTarget: one.seconds, workToTarget: one.work }, several];
  } finally {
    extractor.dispose();
    tf.dispose([content, style]);
  }
}
