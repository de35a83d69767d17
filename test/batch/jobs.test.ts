import { describe, expect, test } from 'vitest';
import { type BatchOptions, batchOptions } from '../../src/batch/batch-options';
import { jobsOf } from '../../src/batch/jobs';

const jobs = (options: Partial<BatchOptions>) => jobsOf(batchOptions.read({ output: 'out', ...options }));
const outputs = (options: Partial<BatchOptions>) => jobs(options).map(({ output }) => output);

describe('the jobs of a batch', () => {
  test('are every content in every style, or pairs', () => {
    const all = { contents: ['a/x.jpg', 'y.png'], styles: ['s.jpg', 't.safetensors'] };
    expect(outputs(all)).toEqual(['out/x-s.png', 'out/x-t.png', 'out/y-s.png', 'out/y-t.png']);
    expect(outputs({ ...all, name: '{index} {style}', format: 'jpeg' })[3]).toBe('out/4 t.jpg');
    const pairs = [
      { content: 'a.jpg', style: ['s.jpg', 't.jpg'], styleWeights: [1, 2] },
      { content: 'https://host/b%20c.jpg?x=1', style: 's.jpg', settings: { beta: 2 } },
      { content: 'a.jpg', style: 's.jpg', output: 'one.webp' },
      { content: 'a.jpg', style: 's.jpg', output: '/full/path.tif' },
    ];
    expect(outputs({ pairs })).toEqual(['out/a-s+t.png', 'out/b c-s.png', 'out/one.webp', '/full/path.tif']);
    const urls = ['s3://painted/a.png', 'https://host/a.png', 'file:///full/a%20b.png'];
    const places = outputs({ pairs: urls.map((output) => ({ content: 'a.jpg', style: 's.jpg', output })) });
    expect(places).toEqual([...urls.slice(0, 2), '/full/a b.png']);
    expect(jobs({ pairs, settings: { beta: 1, alpha: 3 } })[1].settings).toEqual({ alpha: 3, beta: 2 });
  });

  test('are every content in all styles blended, if these have weights', () => {
    const blended = jobs({ contents: ['x.jpg', 'y.png'], styles: ['s.jpg', 't.jpg'], styleWeights: [1, 3] });
    expect(blended.map(({ output }) => output)).toEqual(['out/x-s+t.png', 'out/y-s+t.png']);
    expect(blended[1]).toMatchObject({ style: ['s.jpg', 't.jpg'], styleWeights: [1, 3] });
  });

  test('have previews beside their pictures if asked for', () => {
    const [job] = jobs({ contents: ['x.jpg'], styles: ['s.jpg'], preview: 2 });
    expect(job.preview).toEqual({ output: 'out/x-s.png.preview.jpg', seconds: 2 });
  });

  test('are each there once', () => {
    expect(jobs({ contents: ['a.jpg', 'a.jpg'], styles: ['s.jpg'] })).toHaveLength(1);
  });

  test.each<[Partial<BatchOptions>, string, string]>([
    [{}, 'EMPTY', 'contents is empty'],
    [{ contents: ['a.jpg'] }, 'EMPTY', 'styles is empty'],
    [{ pairs: [] }, 'EMPTY', 'pairs is empty'],
    ...['s3://bucket/out', 'https://host/out', 'file:///out', 'ftp://host/out'].map(
      (output): [Partial<BatchOptions>, string, string] => [
        { contents: ['a.jpg'], styles: ['s.jpg'], output },
        'WRONG_TYPE',
        `output is '${output}'; accepted: a folder of this machine; URLs are outputs of pairs`,
      ],
    ),
    [
      { pairs: [{ content: 'a.jpg', style: 's.jpg', output: 'ftp://host/a.png' }] },
      'WRONG_TYPE',
      "output is 'ftp://host/a.png'; accepted: a path, a file:, http: or https: URL, or s3://bucket/key",
    ],
    [
      { pairs: [{ content: 'file:///full/a.png', style: 's.jpg', output: '/full/a.png' }] },
      'CONFLICTING_OPTIONS',
      'is a picture that is read',
    ],
    [{ pairs: [], styles: ['s.jpg'] }, 'CONFLICTING_OPTIONS', 'styles has no effect beside pairs'],
    [{ pairs: [], styleWeights: [1] }, 'CONFLICTING_OPTIONS', 'styleWeights has no effect beside pairs'],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], styleWeights: [1, 2] },
      'WRONG_LENGTH',
      'styleWeights has 2 numbers; accepted: one for each of 1 styles',
    ],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], settings: { backend: 'gpu' as 'cpu' } },
      'UNKNOWN_NAME',
      "backend is 'gpu'",
    ],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], settings: { backend: 'tensorflow' }, threads: 2 },
      'CONFLICTING_OPTIONS',
      'threads has no effect where tfjs computes',
    ],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], settings: { settings: {} as never } },
      'MALFORMED_SETTINGS',
      'is no record of a run',
    ],
    [{ contents: ['a/x.jpg', 'b/x.jpg'], styles: ['s.jpg'] }, 'CONFLICTING_OPTIONS', "'out/x-s.png'"],
    [{ contents: ['a/x.jpg', 'b/X.jpg'], styles: ['s.jpg'] }, 'CONFLICTING_OPTIONS', "'out/X-s.png'"],
    [
      { contents: ['out/x.png'], styles: ['s.jpg'], name: '{content}' },
      'CONFLICTING_OPTIONS',
      'is a picture that is read',
    ],
    [{ contents: ['a.jpg'], styles: ['s.jpg'], name: 'one' }, 'WRONG_TYPE', "name is 'one'"],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], metrics: ['ssmi' as 'ssim'] },
      'UNKNOWN_NAME',
      "did you mean 'ssim'",
    ],
    [{ contents: ['a.jpg'], styles: ['s.jpg'], settings: { size: 3 } }, 'OUT_OF_RANGE', 'size is 3'],
    [
      { contents: ['a.jpg'], styles: ['s.jpg'], settings: { threads: 2 } as object },
      'UNKNOWN_OPTION',
      "'threads'",
    ],
    [{ pairs: [{ content: 'a.jpg' } as never] }, 'WRONG_TYPE', 'pairs[0].style is undefined'],
    [
      { pairs: [{ content: 'a.jpg', style: 's.jpg', settings: { betta: 2 } as object }] },
      'UNKNOWN_OPTION',
      "'beta'",
    ],
    [
      { pairs: [{ content: 'a.jpg', style: 's.jpg', settings: { beta: -2 } }] },
      'OUT_OF_RANGE',
      'pairs[0].settings: beta is -2',
    ],
    [
      { pairs: [{ content: 'a.jpg', style: ['s.jpg'], styleWeights: [1, 2] }] },
      'WRONG_TYPE',
      'pairs[0].styleWeights',
    ],
    [{ pairs: [{ content: 'a.jpg', style: 's.jpg', output: 'a.txt' }] }, 'UNKNOWN_FORMAT', "'out/a.txt'"],
  ])('refuses %j', (options, code, text) => {
    expect(() => jobs(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });
});
