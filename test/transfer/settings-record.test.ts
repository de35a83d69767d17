import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { version } from '../../package.json';
import { wasm } from '../../src/engines';
import { StyleTransferError } from '../../src/errors';
import { weightsHash } from '../../src/features';
import type { Image } from '../../src/image/image';
import { contentLoss } from '../../src/losses';
import { adam, lbfgs } from '../../src/optim';
import { tinyExtractor } from '../../src/testing';
import { type StyleTransferOptions, styleTransferOptions } from '../../src/transfer/options';
import type { RunPlan, StyleTransferProgress } from '../../src/transfer/progress';
import { requireRecord } from '../../src/transfer/replay';
import type { RecordedOptions, SettingsRecord } from '../../src/transfer/settings-record';
import { styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

await tf.setBackend('wasm');
const content = noise(20, 28, 1);
const style = noise(18, 16, 2);
/** On one thread: a second takes longer to start than it saves. */
const short = { weights: 'embedded', iterations: 2, threads: 1 } as const;

/** Settings, pixels and warnings of a run. */
async function run(options: StyleTransferOptions, images: readonly [Image, Image] = [content, style]) {
  const warnings: string[] = [];
  const onProgress = (event: StyleTransferProgress) => {
    if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
  };
  using result = await styleTransfer(...images, { onProgress, ...options });
  return { settings: result.settings, pixels: await result.image.data(), warnings };
}

const refusal = (options: object) =>
  run(options as StyleTransferOptions).then(
    () => expect.fail('should have been refused'),
    (error: StyleTransferError) => error,
  );

const sha256 = (bytes: NodeJS.ArrayBufferView) => createHash('sha256').update(bytes).digest('hex');

const recorded = await run(short);

describe('the settings of a result', () => {
  it('hold every option that shapes a picture, with its default, and the sizes that were used', async () => {
    const { settings } = await run(short);
    expect(settings.options).toEqual({
      preset: 'li2021',
      alpha: 1,
      balance: 'none',
      beta: expect.any(Number),
      size: 28,
      styleSize: 18,
      scales: 1,
      color: 'style',
      init: 'content',
      iterations: 2,
      tolerance: 0,
      average: 0,
      seed: 0,
      weights: 'embedded',
      padding: 'zero',
      engine: 'wasm',
      optimizer: {
        name: 'lbfgs',
        ...lbfgs().options,
        preconditioner: { kind: 'pyramid', exponent: 0.5, levels: 6 },
      },
    });
    expect(settings).toMatchObject({
      library: version,
      tfjs: tf.version_core,
      engine: 'wasm',
      backend: 'wasm',
      stages: [{ width: 28, height: 20, iterations: 2, tiles: 1, pairs: expect.any(Number) }],
      unrecorded: [],
    });
    const { stopWhen } = (await run({ ...short, stopWhen: { improvement: 0.01 } })).settings.options;
    expect(stopWhen).toEqual({ improvement: 0.01, over: 10 });
    // A new option is recorded by its name; whatever cannot be has to be listed here.
    type Unrecorded = 'extractor' | 'loss' | 'regions' | 'threads' | 'settings' | 'signal' | 'onProgress';
    expectTypeOf<keyof RecordedOptions>().toEqualTypeOf<Exclude<keyof StyleTransferOptions, Unrecorded>>();
  });

  it('hold what was given instead of defaults', async () => {
    const given = {
      ...short,
      preset: 'li2021-baseline',
      alpha: 0.1 + 0.2,
      beta: 1e-300,
      balance: 'initial',
      layerWeights: { conv1_1: 0.5 },
      size: 24,
      styleSize: 20,
      init: 'noise',
      seed: 3,
      tolerance: 1e-9,
      average: 0.5,
      maxEvaluations: 3,
      scales: 1,
      color: 'mean',
      padding: 'reflect',
      engine: 'tfjs',
      threads: undefined,
    } as const;
    const { settings } = await run({ ...given, optimizer: adam({ learningRate: 0.03 }) });
    expect(settings.options).toEqual({
      ...given,
      optimizer: { name: 'adam', learningRate: 0.03, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    });
    expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
  });

  it('hold the SHA-256 of pixels where there is no file, and of the weights', async () => {
    const { settings } = recorded;
    const hashOf = (image: Image) => sha256(image.dataSync());
    expect(settings.content).toEqual({ sha256: hashOf(content), of: 'pixels', width: 28, height: 20 });
    expect(settings.styles).toEqual([
      { sha256: hashOf(style), of: 'pixels', width: 16, height: 18, weight: 1 },
    ]);
    const extractor = tinyExtractor({ seed: 4 });
    const own = await run({ extractor, iterations: 1 });
    expect(own.settings.network.sha256).toBe(await weightsHash(extractor, 'conv3_1'));
    extractor.dispose();
  });

  it.each<[string, StyleTransferOptions]>([
    ['loss', { loss: ({ extractor, content: image }) => contentLoss(extractor.extract(image, ['conv2_2'])) }],
    ['extractor', { weights: undefined, threads: undefined, extractor: tinyExtractor() }],
    ['optimizer', { optimizer: { ...adam(), options: undefined } }],
    ['engine', { engine: wasm({ threads: 1 }), threads: undefined }],
    ['init', { init: noise(8, 8, 3) }],
  ])('name %s where JSON cannot hold it; a repetition needs it again', async (name, options) => {
    const { settings, pixels } = await run({ ...short, ...options });
    expect(settings.unrecorded).toEqual([name]);
    expect(settings.options).not.toHaveProperty(name);
    const error = await refusal({ settings });
    expect(error).toMatchObject({ code: 'NOT_REPLAYABLE', message: expect.stringContaining(name) });
    const again = await run({ settings, [name]: options[name as keyof StyleTransferOptions] });
    expect(again.pixels).toEqual(pixels);
  });
});

describe('the option settings', () => {
  it('repeats a run to the bit, with any number of threads', async () => {
    const options = {
      ...short,
      init: 'noise',
      seed: 9,
      scales: [{ size: 16 }, { size: 32, iterations: 3 }],
    } as const;
    const first = await run({ ...options, beta: 3e5, threads: 1 });
    const again = await run({ settings: JSON.parse(JSON.stringify(first.settings)), threads: 2 });
    expect(again.warnings).toEqual([]);
    expect(again.pixels).toEqual(first.pixels);
    expect(again.settings.options).toEqual(first.settings.options);
  });

  it('lets options beside it, and alpha and beta as arguments, override it, which a warning says', async () => {
    const { settings } = await run({ ...short, size: 32, styleSize: 20 });
    const { settings: now, warnings } = await run({ settings, size: 24 });
    // The size of the style belongs to the size.
    expect(now.options).toEqual({ ...settings.options, size: 24, styleSize: 24 });
    expect(warnings).toEqual([
      expect.stringMatching(/^SETTINGS_DIFFER .*: size is 24, not 32; styleSize is 24, not 20\.$/),
    ]);
    using weighed = await styleTransfer(content, style, 2, 3e4, { settings });
    expect(weighed.settings.options).toEqual({ ...settings.options, alpha: 2, beta: 3e4 });
    const preset = await run({ settings, preset: 'li2021-baseline', iterations: 1 });
    const fresh = await run({ ...short, preset: 'li2021-baseline', iterations: 1, size: 32, styleSize: 20 });
    expect(preset.settings.options).toEqual(fresh.settings.options);
  });

  it('says that images are others', async () => {
    const { settings } = recorded;
    const { warnings } = await run({ settings }, [style, style]);
    expect(warnings).toEqual([expect.stringMatching(/: content is another image/)]);
    const ofFile = { ...settings, styles: [{ ...settings.styles[0], of: 'file' }] } as SettingsRecord;
    expect((await run({ settings: ofFile })).warnings).toEqual([
      expect.stringMatching(/: style cannot be compared, for the record has the hash of a file\.$/),
    ]);
  });

  it('says that versions are others', async () => {
    const { settings } = recorded;
    const { warnings } = await run({ settings: { ...settings, library: '0.1.9', tfjs: '4.20.0' } });
    expect(warnings).toEqual([
      expect.stringContaining(
        `library is '${version}', not '0.1.9'; tfjs is '${tf.version_core}', not '4.20.0'`,
      ),
    ]);
  });

  it('keeps to the memory that shaped the run, and says where a machine has less', async () => {
    const options = { ...short, size: 64, iterations: 50, maxEvaluations: 3 };
    const plans: RunPlan[] = [];
    const whole = await run({
      ...options,
      onProgress: (event) => void (event.type === 'start' && plans.push(event.plan)),
    });
    expect(whole.settings.options).not.toHaveProperty('memory');
    // The program itself counts for 200 MB; half of the history does not fit.
    const memory = 200e6 + plans[0].bytes - plans[0].history / 2;
    const { settings } = await run({ ...options, memory });
    expect(settings.options.memory).toBe(memory);
    expect(settings.stages[0].pairs).toBeLessThan(whole.settings.stages[0].pairs);
    const again = await run({ settings });
    expect(again.settings.stages).toEqual(settings.stages);
    expect(again.warnings).toEqual([]);
    const { warnings } = await run({ settings: whole.settings, memory });
    expect(warnings).toEqual([expect.stringContaining('memory allows another number of tiles or pairs')]);
  });

  it('refuses other weights that were not asked for, and takes those that were', async () => {
    const { settings } = recorded;
    const network = { ...settings.network, sha256: '0'.repeat(64) };
    const others = { ...settings, network, options: { ...settings.options, weights: undefined } };
    expect(await refusal({ settings: others })).toMatchObject({ code: 'NOT_REPLAYABLE', option: 'weights' });
    const { warnings } = await run({ settings: others, weights: 'embedded' });
    expect(warnings).toEqual([expect.stringContaining('weights are others')]);
  });

  it('refuses a record of another version of the format, and names both', async () => {
    const { settings } = recorded;
    const future = { ...settings, formatVersion: 2, library: '9.1.0', news: 1 };
    const { code, message } = await refusal({ settings: future });
    expect(code).toBe('UNSUPPORTED_SETTINGS');
    expect(message).toContain('format version 2, written by tfjs-style-transfer 9.1.0');
    expect(message).toContain(`${version}, which accepts format version 1`);
  });

  it.each<[string, (settings: SettingsRecord) => unknown]>([
    ['is null', () => null],
    ['is a text', () => 'out.png'],
    ['is another record', () => ({ preset: 'li2021' })],
    ['has no content', ({ content: _, ...rest }) => rest],
    ['has an unknown field', (settings) => ({ ...settings, more: 1 })],
    ['has an option that is unknown', (settings) => ({ ...settings, options: { speed: 1 } })],
    ['has an option out of range', (settings) => ({ ...settings, options: { size: 1e9 } })],
    ['has a path as init', (settings) => ({ ...settings, options: { init: '/etc/passwd' } })],
    ['has a place as weights', (settings) => ({ ...settings, options: { weights: 'https://example.org' } })],
    ['has an unknown method', (settings) => ({ ...settings, options: { optimizer: { name: 'sgd' } } })],
    [
      'has a wrong option of a method',
      (settings) => ({ ...settings, options: { optimizer: { name: 'adam', beta1: 2 } } }),
    ],
    [
      'has a preconditioner of another kind',
      (settings) => ({
        ...settings,
        options: { optimizer: { name: 'lbfgs', preconditioner: { kind: 'x' } } },
      }),
    ],
    [
      'has a hash of another length',
      (settings) => ({ ...settings, content: { ...settings.content, sha256: 'ab' } }),
    ],
    [
      'has styles without end',
      (settings) => ({ ...settings, styles: new Array(10_001).fill(settings.content) }),
    ],
    ['has a text without end', (settings) => ({ ...settings, decoder: 'x'.repeat(1001) })],
    [
      'has a prototype',
      (settings) => JSON.parse(`{"__proto__":{"preset":"x"},${JSON.stringify(settings).slice(1)}`),
    ],
    [
      'has a prototype as options',
      (settings) => ({ ...settings, options: JSON.parse('{"__proto__":{"preset":"x"}}') }),
    ],
  ])('refuses a record that %s', async (_, change) => {
    const { settings } = recorded;
    const error = await refusal({ settings: change(settings) });
    expect(error).toMatchObject({ code: 'MALFORMED_SETTINGS', option: 'settings' });
    expect(error.message.length).toBeLessThan(700);
  });

  it('takes or refuses a record whatever any of its parts is, and changes no prototype', async () => {
    const { settings } = recorded;
    const keys = Object.keys(settings);
    const optionNames = Object.keys(styleTransferOptions.options);
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.constantFrom(...optionNames),
        fc.jsonValue(),
        (key, name, value) => {
          for (const changed of [
            { ...settings, [key]: value },
            { ...settings, options: { ...settings.options, [name]: value } },
            value,
          ])
            try {
              requireRecord(changed);
            } catch (error) {
              expect(error).toBeInstanceOf(StyleTransferError);
            }
        },
      ),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
