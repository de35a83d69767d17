import { readFileSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import { describe, expect, test } from 'vitest';
import { readOnnxNetwork } from '../../../src/generators/readers/onnx';

const cycleGan = new Uint8Array(readFileSync('test/reference/onnx/cyclegan.onnx'));

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly integers?: Readonly<Record<string, readonly number[]>>;
}

/** An ONNX file of a graph from `image` [1, 3, 16, 16] through nodes, of which each writes `outN`. */
function onnxFile(
  nodes: readonly Node[],
  constants: Readonly<Record<string, number[]>> = {},
): Uint8Array<ArrayBuffer> {
  const tensor = ([name, values]: [string, number[]], pbf: PbfWriter) => {
    pbf.writePackedVarint(1, [values.length]);
    pbf.writeVarintField(2, 1);
    pbf.writePackedFloat(4, values);
    pbf.writeStringField(8, name);
  };
  const graph = (_: undefined, pbf: PbfWriter) => {
    for (const [i, { op, inputs, integers = {} }] of nodes.entries())
      pbf.writeMessage(
        1,
        (_: undefined, node: PbfWriter) => {
          for (const name of inputs) node.writeStringField(1, name);
          node.writeStringField(2, `out${i}`);
          node.writeStringField(4, op);
          for (const [name, numbers] of Object.entries(integers))
            node.writeMessage(
              5,
              (_: undefined, attribute: PbfWriter) => {
                attribute.writeStringField(1, name);
                attribute.writePackedVarint(8, [...numbers]);
              },
              undefined,
            );
        },
        undefined,
      );
    for (const constant of Object.entries(constants)) pbf.writeMessage(5, tensor, constant);
    pbf.writeMessage(11, value, 'image');
    pbf.writeMessage(12, value, `out${nodes.length - 1}`);
  };
  const pbf = new PbfWriter();
  pbf.writeMessage(7, graph, undefined);
  pbf.writeMessage(8, (_: undefined, opset: PbfWriter) => opset.writeVarintField(2, 17), undefined);
  return new Uint8Array(pbf.finish());
}

/** ValueInfoProto of a picture. */
function value(name: string, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  const message = (field: number, inner: (pbf: PbfWriter) => void) => (outer: PbfWriter) =>
    outer.writeMessage(field, (_: undefined, pbf: PbfWriter) => inner(pbf), undefined);
  const shape = (pbf: PbfWriter) => {
    for (const extent of [1, 3, 16, 16]) message(1, (one) => one.writeVarintField(1, extent))(pbf);
  };
  message(2, message(1, message(2, shape)))(pbf);
}

const rejected = async (bytes: Uint8Array<ArrayBuffer>) => {
  const [outcome] = await Promise.allSettled([readOnnxNetwork(bytes, 'model.onnx')]);
  return outcome.status === 'rejected' ? outcome.reason : outcome.value;
};

describe('a file that is no ONNX file', () => {
  test.each([
    ['empty', new Uint8Array()],
    ['text', new TextEncoder().encode('<!doctype html><title>Not found</title>')],
    ['cut off', cycleGan.slice(0, 20_000)],
    ['longer than it should be', new Uint8Array([...cycleGan, 0x3a, 0x7f])],
  ])('is refused: %s', async (_, bytes) => {
    expect(await rejected(bytes)).toMatchObject({ code: 'MALFORMED_WEIGHTS', option: 'weights' });
  });

  test('whatever byte is wrong, ends with an error of this library or with a network', async () => {
    for (let at = 0; at < 4000; at += 37) {
      const damaged = cycleGan.slice();
      damaged[at] ^= 0x55;
      const found = await rejected(damaged);
      expect(found.kind ?? found.code, `byte ${at}: ${found}`).toEqual(expect.any(String));
    }
  });
});

describe('a graph that is no generator', () => {
  test('names the operation that has no equal', async () => {
    const error = await rejected(onnxFile([{ op: 'MaxPool', inputs: ['image'] }]));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_NETWORK', option: 'network' });
    expect(error.message).toContain('model.onnx');
    expect(error.message).toContain('MaxPool');
  });

  test('with arithmetic that is no norm is refused', async () => {
    const nodes = [
      { op: 'Mul', inputs: ['image', 'image'] },
      { op: 'Tanh', inputs: ['out0'] },
    ];
    expect(await rejected(onnxFile(nodes))).toMatchObject({ code: 'UNSUPPORTED_NETWORK' });
  });

  test('that reads what no operation computes is refused', async () => {
    const error = await rejected(onnxFile([{ op: 'Tanh', inputs: ['nothing'] }]));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_NETWORK' });
    expect(error.message).toContain('nothing');
  });

  test('whose range is not known asks for it', async () => {
    const bytes = onnxFile([{ op: 'Relu', inputs: ['image'] }]);
    expect(await rejected(bytes)).toMatchObject({ code: 'MISSING_ARGUMENT', option: 'outputRange' });
    const found = await readOnnxNetwork(bytes, 'model.onnx', { outputRange: [0, 255] });
    expect(found).toMatchObject({
      network: { input: { scale: [255, 255, 255] }, output: { scale: [1 / 255, 1 / 255, 1 / 255] } },
    });
  });

  test('of two scalings of the image is refused, of one it is the conversion of the input', async () => {
    const constants = { two: [2], three: [3] };
    const once = onnxFile(
      [
        { op: 'Mul', inputs: ['image', 'two'] },
        { op: 'Tanh', inputs: ['out0'] },
      ],
      constants,
    );
    expect(await readOnnxNetwork(once, 'model.onnx')).toMatchObject({
      network: { input: { scale: [4, 4, 4], offset: [-2, -2, -2] }, steps: [{ op: 'tanh' }] },
    });
    const twice = onnxFile(
      [
        { op: 'Mul', inputs: ['image', 'two'] },
        { op: 'Tanh', inputs: ['out0'] },
        { op: 'Mul', inputs: ['image', 'three'] },
        { op: 'Tanh', inputs: ['out2'] },
        { op: 'Add', inputs: ['out1', 'out3'] },
        { op: 'Tanh', inputs: ['out4'] },
      ],
      constants,
    );
    expect(await rejected(twice)).toMatchObject({ code: 'UNSUPPORTED_NETWORK' });
  });

  test.each([
    ['image', 'out1'],
    ['out1', 'image'],
  ])('that reads the image as it is and scaled, %s before %s, is refused', async (...sum) => {
    const nodes = [
      { op: 'Mul', inputs: ['image', 'two'] },
      { op: 'Tanh', inputs: ['out0'] },
      { op: 'Add', inputs: sum },
      { op: 'Tanh', inputs: ['out2'] },
    ];
    const error = await rejected(onnxFile(nodes, { two: [2] }));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_NETWORK' });
    expect(error.message).toContain('an image that is read as it is and scaled');
  });
});
