import type * as tf from '@tensorflow/tfjs-core';
import { describe, expectTypeOf, it } from 'vitest';
import type {
  EngineExtractor,
  ErrorCode,
  FeatureExtractor,
  ImageInput,
  InterruptedEvent,
  Loss,
  PrepareEvent,
  PresetName,
  ProgressListener,
  StartEvent,
  StepEvent,
  StyleTransferError,
  StyleTransferOptions,
  StyleTransferProgress,
  StyleTransferResult,
  WarningEvent,
} from '../src';
import * as everywhere from '../src';
import type { NodeImageInput, NodeStyleTransferOptions } from '../src/node';
import * as node from '../src/node';

/* What the types of `.` and `./node` promise. The compiler checks it; nothing here runs anything. */

declare const image: tf.Tensor3D;
declare const path: string;

describe('styleTransfer', () => {
  it('takes alpha and beta as arguments, or options alone', () => {
    const calls = () => [
      everywhere.styleTransfer(image, image, 1, 1e6),
      everywhere.styleTransfer(image, image, 1, 1e6, { iterations: 5 }),
      everywhere.styleTransfer(image, image, { alpha: 1, preset: 'gatys2016' }),
      everywhere.styleTransfer(image, image),
      node.styleTransfer(path, new URL(path), { init: path, weights: path }),
      node.styleTransfer(new Uint8Array(), image, 1, 1e6, { init: 'noise' }),
    ];
    expectTypeOf(calls).returns.toEqualTypeOf<Promise<StyleTransferResult>[]>();
  });

  it('refuses what it does not take', () => {
    const calls = () => [
      // @ts-expect-error a path is an image in Node only
      everywhere.styleTransfer(path, image),
      // @ts-expect-error alpha without beta
      everywhere.styleTransfer(image, image, 1),
      // @ts-expect-error there is no such preset
      everywhere.styleTransfer(image, image, { preset: 'li2012' }),
      // @ts-expect-error there is no such option
      everywhere.styleTransfer(image, image, { iteration: 5 }),
      // @ts-expect-error a path is a start in Node only
      everywhere.styleTransfer(image, image, { init: path }),
      // @ts-expect-error a loss has `compute`
      everywhere.styleTransfer(image, image, { loss: { name: 'mine', layers: ['image'] } }),
    ];
    expectTypeOf(calls).toBeFunction();
  });

  it('has options of the same names everywhere', () => {
    expectTypeOf<keyof NodeStyleTransferOptions>().toEqualTypeOf<keyof StyleTransferOptions>();
    expectTypeOf<ImageInput>().toExtend<NodeImageInput>();
    expectTypeOf<StyleTransferOptions['preset']>().toEqualTypeOf<PresetName | undefined>();
    expectTypeOf<FeatureExtractor>().toExtend<NonNullable<StyleTransferOptions['extractor']>>();
    expectTypeOf<NonNullable<StyleTransferOptions['loss']>>().toExtend<
      Loss | ((...args: never[]) => Loss | Promise<Loss>)
    >();
  });

  it('has a result with the facts of the start event, which `using` disposes', () => {
    expectTypeOf<StyleTransferResult['image']>().toEqualTypeOf<tf.Tensor3D>();
    expectTypeOf<StyleTransferResult['terms']>().toEqualTypeOf<Readonly<Record<string, number>>>();
    expectTypeOf<StyleTransferResult['threads']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<StyleTransferResult>().toExtend<
      Pick<StartEvent, 'engine' | 'backend' | 'weights' | 'embedded'>
    >();
    expectTypeOf<StyleTransferResult>().toExtend<{ [Symbol.dispose](): void }>();
  });
});

describe('events', () => {
  it('are told apart by `type`', () => {
    const listener: ProgressListener = (event) => {
      switch (event.type) {
        case 'start':
          expectTypeOf(event).toEqualTypeOf<StartEvent>();
          break;
        case 'step':
          expectTypeOf(event).toEqualTypeOf<StepEvent>();
          expectTypeOf(event.image()).toEqualTypeOf<tf.Tensor3D>();
          break;
        case 'warning':
          expectTypeOf(event).toEqualTypeOf<WarningEvent>();
          break;
        case 'interrupted':
          expectTypeOf(event).toEqualTypeOf<InterruptedEvent>();
          expectTypeOf(event.reason).toBeUnknown();
          break;
        case 'prepare':
          expectTypeOf(event).toEqualTypeOf<PrepareEvent>();
          break;
        case 'weights':
          expectTypeOf(event.totalBytes).toEqualTypeOf<number | undefined>();
          break;
        default:
          expectTypeOf(event).toBeNever();
      }
    };
    expectTypeOf(listener).parameter(0).toEqualTypeOf<StyleTransferProgress>();
    expectTypeOf<ProgressListener>().returns.toEqualTypeOf<void | Promise<void>>();
  });
});

describe('the rest of the public surface', () => {
  it('loads an extractor by name of layer', () => {
    expectTypeOf(everywhere.loadVgg19).returns.resolves.toExtend<EngineExtractor>();
    expectTypeOf(node.loadVgg19).parameters.toEqualTypeOf<Parameters<typeof everywhere.loadVgg19>>();
    // @ts-expect-error VGG-19 has no such layer
    expectTypeOf(everywhere.loadVgg19).toBeCallableWith({ lastLayer: 'conv6_1' });
  });

  it('has errors whose codes are a union', () => {
    expectTypeOf<StyleTransferError['code']>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<'DISPOSED'>().toExtend<ErrorCode>();
    expectTypeOf<'DISPOSE'>().not.toExtend<ErrorCode>();
  });

  it('keeps the names of 0.1', () => {
    expectTypeOf<keyof typeof everywhere>()
      .extract<'styleTransfer' | 'loadVgg19' | 'toImage'>()
      .toEqualTypeOf<'styleTransfer' | 'loadVgg19' | 'toImage'>();
    const names = [
      'toImageData',
      'createObjective',
      'minimize',
      'lbfgs',
      'adam',
      'pyramidPreconditioner',
      'evaluate',
      'contentLoss',
      'styleLoss',
      'perceptualLoss',
      'pixelLoss',
      'totalVariationLoss',
      'weighted',
      'sum',
    ] as const;
    expectTypeOf<(typeof names)[number]>().toExtend<keyof typeof everywhere>();
    const ofNode = ['readImage', 'writeImage', 'useWasm', 'useTfjsNode', 'evaluate'] as const;
    expectTypeOf<(typeof ofNode)[number]>().toExtend<keyof typeof node>();
  });
});
