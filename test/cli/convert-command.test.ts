import { copyFile, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadGenerator } from '../../src/node/generators';
import { pictureFolder, runCommand } from '../support/command-line-folder';

const path = pictureFolder();
const onnx = (name: string) => resolve(`test/reference/onnx/${name}.onnx`);

test('convert writes a generator file of an ONNX file, and says what it is', async () => {
  const made = await runCommand([
    'convert',
    onnx('fast-neural-style'),
    ...['-o', path('candy.safetensors'), '--output-range', '0,255'],
    ...['--name', 'candy', '--license', 'BSD-3-Clause', '--origin', 'pytorch/examples'],
  ]);
  expect(made, made.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain('one style');
  expect(made.stdout).toContain('BSD-3-Clause');
  const generator = await loadGenerator(path('candy.safetensors'));
  expect(generator).toMatchObject({ name: 'candy', license: 'BSD-3-Clause', origin: 'pytorch/examples' });
});

test('convert joins a network and its predictor, and prints JSON', async () => {
  const made = await runCommand([
    'convert',
    onnx('conditional'),
    ...['--predictor', onnx('predictor'), '-o', path('any.safetensors'), '--quantize', '--json'],
  ]);
  expect(made, made.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(made.stdout)).toMatchObject({
    vectorLength: 5,
    conditionalParameters: 10,
    predictorSteps: 10,
    license: null,
  });
  expect((await loadGenerator(path('any.safetensors'))).predictor?.size).toBe(16);
});

test.each([
  [['-o', 'a.onnx'], 2, '--output'],
  [['-o', 'a.safetensors', '--output-range', '1'], 2, '--output-range'],
  [['-o', 'a.safetensors'], 2, 'give --output-range'],
  [['-o', 'a.safetensors', '--output-range', '0,255', '--channels', 'gbr'], 2, '--channels'],
])('convert refuses %j with the exit code %i', async (flags, code, message) => {
  const refused = await runCommand(['convert', onnx('fast-neural-style'), ...flags]);
  expect(refused.code, refused.stderr).toBe(code);
  expect(refused.stderr).toContain(message);
});

test('convert never replaces what it reads, and refuses a folder that is not there before it reads', async () => {
  const source = path('net.safetensors');
  await copyFile(onnx('fast-neural-style'), source);
  const over = await runCommand(['convert', source, '-o', source, '--output-range', '0,255']);
  expect(over).toMatchObject({ code: 2, stderr: expect.stringContaining('the same file as file') });
  expect(await readFile(source)).toEqual(await readFile(onnx('fast-neural-style')));
  const nowhere = await runCommand(['convert', path('none.onnx'), '-o', path('nowhere/a.safetensors')]);
  expect(nowhere.stderr).toContain('nowhere');
  expect(nowhere.stderr).not.toContain('none.onnx');
});

test('convert names a file that is not there or holds no network', async () => {
  const missing = await runCommand(['convert', path('none.onnx'), '-o', path('a.safetensors')]);
  expect([missing.code, missing.stderr.includes('none.onnx')]).toEqual([1, true]);
  const picture = await runCommand(['convert', path('content.png'), '-o', path('a.safetensors')]);
  expect(picture).toMatchObject({ code: 1 });
});
