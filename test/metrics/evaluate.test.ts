import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeatureExtractor } from '../../src/features/extractor';
import { resize } from '../../src/image/resize';
import {
  contentDistance,
  cosineSimilarity,
  evaluate,
  metricNames,
  msSsim,
  mutualInformation,
  psnr,
  ssim,
  styleDistance,
} from '../../src/metrics';
import { evaluateOn } from '../../src/metrics/evaluate';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { noisePixels } from '../support/pixels';

const image = noisePixels(48, 44, 1);
const content = noisePixels(48, 44, 2);
const style = noisePixels(48, 44, 3);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('evaluate', () => {
  it('gives every metric against content and style', async () => {
    const extractor = tinyExtractor();
    const result = await evaluate({ image, content, style, extractor });
    for (const [other, values] of [
      [content, result.content],
      [style, result.style],
    ] as const) {
      expect(values).toEqual({
        ssim: await ssim(image, other),
        msSsim: await msSsim(image, other, { scales: 3 }),
        psnr: await psnr(image, other),
        cosineSimilarity: await cosineSimilarity(image, other),
        mutualInformation: await mutualInformation(image, other),
        mutualInformationGeometric: await mutualInformation(image, other, { normalization: 'geometric' }),
        mutualInformationArithmetic: await mutualInformation(image, other, { normalization: 'arithmetic' }),
        contentDistance: await contentDistance(image, other, { extractor }),
        styleDistance: await styleDistance(image, other, { extractor }),
      });
      expect(Object.keys(values ?? {})).toEqual([...metricNames]);
    }
    expect(result).toMatchObject({ width: 48, height: 44, msSsimScales: 3 });
    extractor.dispose();
  });

  it('computes what is asked for, and types it so', async () => {
    const { content: values, style: none } = await evaluate({ image, content, metrics: ['psnr', 'ssim'] });
    const decibels: number | undefined = values?.psnr;
    expect(decibels).toBe(await psnr(image, content));
    expect(Object.keys(values ?? {})).toEqual(['psnr', 'ssim']);
    expect(none).toBeUndefined();
  });

  it('without an extractor computes the metrics that need none', async () => {
    const { style: values } = await evaluate({ image, style });
    expect(Object.keys(values ?? {})).toEqual(metricNames.filter((name) => !name.endsWith('Distance')));
  });

  it('resizes the style to the stylised image, for styleDistance only its longer side', async () => {
    const extractor = tinyExtractor();
    const large = noisePixels(96, 60, 5);
    const pixels = { data: Float32Array.from(large.data, (v) => v / 255), width: 96, height: 60 };
    const { style: values } = await evaluate({ image, style: large, extractor });
    expect(values?.ssim).toBeCloseTo(await ssim(image, { ...resize(pixels, 48, 44), channels: 3 }), 6);
    const scaled = { ...resize(pixels, 48, 30), channels: 3 as const };
    expect(values?.styleDistance).toBeCloseTo(await styleDistance(image, scaled, { extractor }), 6);
    extractor.dispose();
  });

  it('takes the layers of the distances', async () => {
    const extractor = tinyExtractor({ layers: ['conv1_2'] });
    const { content: values } = await evaluate({
      image,
      content,
      extractor,
      metrics: ['contentDistance', 'styleDistance'],
      contentLayers: ['relu1_1'],
      styleLayers: ['conv1_2'],
    });
    expect(values?.contentDistance).toBe(
      await contentDistance(image, content, { extractor, layers: ['relu1_1'] }),
    );
    expect(values?.styleDistance).toBe(
      await styleDistance(image, content, { extractor, layers: ['conv1_2'] }),
    );
    extractor.dispose();
  });

  it('refuses what cannot be computed, before any work', async () => {
    await expect(evaluate({ image })).rejects.toMatchObject({ code: 'MISSING' });
    await expect(evaluate({ image, content, metrics: [] })).rejects.toMatchObject({
      code: 'EMPTY',
      option: 'metrics',
    });
    await expect(evaluate({ image, content, metrics: ['ssimm' as 'ssim'] })).rejects.toThrow(
      /did you mean 'ssim'/,
    );
    await expect(evaluate({ image, content, metrics: ['styleDistance'] })).rejects.toMatchObject({
      code: 'NO_EXTRACTOR',
      option: 'extractor',
    });
    const misspelt = { image, contents: content } as unknown as { image: typeof image };
    await expect(evaluate(misspelt)).rejects.toThrow(/did you mean 'content'/);
    const small = noisePixels(8, 8, 1);
    await expect(evaluate({ image: small, content: small })).rejects.toMatchObject({ code: 'TOO_SMALL' });
  });

  it('refuses options before it reads a file', async () => {
    const decode = async () => {
      throw new Error('a file was read');
    };
    const evaluateFiles = evaluateOn<string>({ decode, open: decode });
    const wrong: object[] = [
      { image: 'a.png', style: 'b.png', metric: ['ssim'] },
      { image: 'a.png' },
      { image: 'a.png', style: 'b.png', metrics: ['styleDistance'] },
      { image: 'a.png', style: 'b.png', extractor: {} },
      { image: 'a.png', style: 'b.png', contentLayers: 'conv2_2' },
      { image: 'a.png', style: 'b.png', signal: 1 },
    ];
    for (const options of wrong) {
      await expect(evaluateFiles(options as never)).rejects.toMatchObject({ name: 'InvalidArgumentError' });
    }
    await expect(evaluateFiles({ image: 'a.png', style: 'b.png' })).rejects.toThrow('a file was read');
  });

  it('ends when its signal does', async () => {
    const controller = new AbortController();
    const extractor = { ...tinyExtractor(), extract: () => controller.abort(new Error('enough')) as never };
    const metrics = ['contentDistance', 'ssim'] as const;
    const running = evaluate({ image, content, metrics, extractor, signal: controller.signal });
    await expect(running).rejects.toThrow();
    await expect(evaluate({ image, content, signal: controller.signal })).rejects.toThrow('enough');
  });

  it('leaves no tensor behind, whichever call of the extractor fails', async () => {
    const network = tinyExtractor();
    for (let failing = 0; failing < 4; failing++) {
      let calls = 0;
      const faulty: FeatureExtractor = {
        ...network,
        extract: (...args) => {
          if (calls++ === failing) throw new Error('fault');
          return network.extract(...args);
        },
      };
      await expectNoLeak(async () => {
        const running = evaluate({
          image,
          content,
          extractor: faulty,
          metrics: ['contentDistance', 'styleDistance'],
        });
        await expect(running).rejects.toThrow('fault');
      });
    }
    for (let failing = 0; failing < 2; failing++) {
      let calls = 0;
      const extract: FeatureExtractor['extract'] = (...args) => {
        if (calls++ === failing) throw new Error('fault');
        return network.extract(...args);
      };
      await expectNoLeak(async () => {
        const options = { extractor: { ...network, extract }, layer: 'conv1_1' } as const;
        await expect(cosineSimilarity(image, content, options)).rejects.toThrow('fault');
      });
    }
    network.dispose();
  });

  it('leaves no tensor behind, whether it succeeds or fails', async () => {
    const extractor = tinyExtractor();
    await expectNoLeak(() => evaluate({ image, content, style, extractor }));
    await expectNoLeak(async () => {
      await evaluate({ image, content, style: { ...style, width: 3 } }).catch(() => undefined);
      await evaluate({ image, content, extractor, contentLayers: ['conv5_1'] }).catch(() => undefined);
    });
    extractor.dispose();
  });
});
