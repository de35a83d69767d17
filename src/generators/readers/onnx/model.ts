import type { PbfReader } from 'pbf';
import type { WeightsError } from '../../../errors';
import type { Bytes } from '../../../storage/byte-store';
import { malformedWeights } from '../../../weights/json';
import { type OnnxTensor, readTensor, type StoredOnnxTensor } from './tensor';

/** The parts of an ONNX file that a reader of networks needs. Field numbers are those of onnx.proto. */
export interface OnnxModel {
  /** Version of the operators of ONNX itself. */
  readonly opset: number;
  readonly producer: string;
  readonly nodes: readonly OnnxNode[];
  /** Constant tensors by name. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Values that a caller gives: inputs without a constant of their name. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** An operation of the graph. */
export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An attribute's value; each of these types that the file does not give is absent. */
export interface OnnxAttribute {
  number?: number;
  numbers?: number[];
  text?: string;
  tensor?: OnnxTensor;
}

/** Name and shape of an input or output; extents that are not fixed are undefined. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly shape: readonly (number | undefined)[];
}

/**
 * Reads an ONNX file.
 *
 * @param source the file, for messages
 * @throws WeightsError `MALFORMED_WEIGHTS` if the bytes are no ONNX file, or its tensors lie in other files
 */
export async function readOnnx(bytes: Bytes, source: string): Promise<OnnxModel> {
  const { PbfReader } = await import('pbf');
  const pbf = new PbfReader(bytes);
  const fail = (what: string, cause?: unknown): WeightsError =>
    malformedWeights('ONNX file', source, what, cause);
  const model = { opset: 0, producer: '', nodes: [], tensors: [], inputs: [], outputs: [] } satisfies Draft;
  try {
    pbf.readFields(readModel, model);
  } catch (cause) {
    throw fail('its bytes are not a protocol buffer', cause);
  }
  const draft: Draft = model;
  if (pbf.pos !== bytes.length) throw fail('it is not complete');
  if (draft.nodes.length === 0 || draft.opset === 0) throw fail('it has no graph of operations');
  const constants = new Map(draft.tensors.map((stored) => [stored.name, readTensor(stored, fail)]));
  const nodes = draft.nodes.map(({ attributes, ...node }) => ({
    ...node,
    attributes: new Map(
      attributes.map(({ name, stored, ...value }): [string, OnnxAttribute] => [
        name,
        stored ? { tensor: readTensor(stored, fail) } : value,
      ]),
    ),
  }));
  const inputs = draft.inputs.filter(({ name }) => !constants.has(name));
  return { ...draft, nodes, constants, inputs };
}

interface Draft {
  opset: number;
  producer: string;
  nodes: DraftNode[];
  tensors: StoredOnnxTensor[];
  inputs: DraftValue[];
  outputs: DraftValue[];
}

interface DraftNode {
  op: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: DraftAttribute[];
}

interface DraftAttribute extends OnnxAttribute {
  name: string;
  stored?: StoredOnnxTensor;
}

interface DraftValue {
  name: string;
  shape: (number | undefined)[];
}

function readModel(field: number, model: Draft, pbf: PbfReader): void {
  if (field === 2) model.producer = pbf.readString();
  else if (field === 7) pbf.readMessage(readGraph, model);
  else if (field === 8) {
    const { domain, version } = pbf.readMessage(readOpset, { domain: '', version: 0 });
    if (domain === '' || domain === 'ai.onnx') model.opset = version;
  }
}

function readOpset(field: number, opset: { domain: string; version: number }, pbf: PbfReader): void {
  if (field === 1) opset.domain = pbf.readString();
  else if (field === 2) opset.version = pbf.readVarint();
}

function readGraph(field: number, model: Draft, pbf: PbfReader): void {
  if (field === 1)
    model.nodes.push(
      pbf.readMessage(readNode, { op: '', name: '', inputs: [], outputs: [], attributes: [] } as DraftNode),
    );
  else if (field === 5) model.tensors.push(readStored(pbf));
  else if (field === 11) model.inputs.push(readValue(pbf));
  else if (field === 12) model.outputs.push(readValue(pbf));
}

function readNode(field: number, node: DraftNode, pbf: PbfReader): void {
  if (field === 1) node.inputs.push(pbf.readString());
  else if (field === 2) node.outputs.push(pbf.readString());
  else if (field === 3) node.name = pbf.readString();
  else if (field === 4) node.op = pbf.readString();
  else if (field === 5) node.attributes.push(pbf.readMessage(readAttribute, { name: '' } as DraftAttribute));
}

function readAttribute(field: number, attribute: DraftAttribute, pbf: PbfReader): void {
  if (field === 1) attribute.name = pbf.readString();
  else if (field === 2) attribute.number = pbf.readFloat();
  else if (field === 3) attribute.number = pbf.readVarint(true);
  else if (field === 4) attribute.text = pbf.readString();
  else if (field === 5) attribute.stored = readStored(pbf);
  else if (field === 7) attribute.numbers = repeated(pbf, attribute.numbers, () => pbf.readFloat());
  else if (field === 8) attribute.numbers = repeated(pbf, attribute.numbers, () => pbf.readVarint(true));
}

const readStored = (pbf: PbfReader): StoredOnnxTensor =>
  pbf.readMessage(readStoredField, {
    name: '',
    shape: [],
    type: 0,
    floats: [],
    integers: [],
    external: false,
  } as StoredOnnxTensor);

function readStoredField(field: number, tensor: StoredOnnxTensor, pbf: PbfReader): void {
  if (field === 1) repeated(pbf, tensor.shape, () => pbf.readVarint(true));
  else if (field === 2) tensor.type = pbf.readVarint();
  else if (field === 4) repeated(pbf, tensor.floats, () => pbf.readFloat());
  else if (field === 5 || field === 7 || field === 11)
    repeated(pbf, tensor.integers, () => pbf.readVarint(true));
  else if (field === 8) tensor.name = pbf.readString();
  else if (field === 9) tensor.raw = pbf.readBytes();
  else if (field === 10) repeated(pbf, tensor.floats, () => pbf.readDouble());
  else if (field === 14) tensor.external = pbf.readVarint() === 1;
}

/** Protocol buffers' type of a field that holds bytes: packed numbers, among others. */
const lengthDelimited = 2;

/** Numbers of a repeated field, which writers store one by one or packed into one field. */
function repeated(pbf: PbfReader, into: number[] = [], read: () => number): number[] {
  if (pbf.type !== lengthDelimited) into.push(read());
  else for (const end = pbf.readVarint() + pbf.pos; pbf.pos < end; ) into.push(read());
  return into;
}

const readValue = (pbf: PbfReader): DraftValue =>
  pbf.readMessage(
    (field, value) => {
      if (field === 1) value.name = pbf.readString();
      else if (field === 2)
        eachOf(pbf, tensorType, () =>
          eachOf(pbf, shape, () => eachOf(pbf, dimension, () => value.shape.push(extent(pbf)))),
        );
    },
    { name: '', shape: [] } as DraftValue,
  );

/** Fields of ValueInfoProto.type, of its tensor_type, and of that one's shape. */
const [tensorType, shape, dimension] = [1, 2, 1];

/** Reads a message, of which only one field counts, by `read`. */
function eachOf(pbf: PbfReader, wanted: number, read: () => void): void {
  pbf.readMessage((field) => {
    if (field === wanted) read();
  }, undefined);
}

function extent(pbf: PbfReader): number | undefined {
  const { value } = pbf.readMessage(
    (field, found) => {
      if (field === 1) found.value = pbf.readVarint(true);
    },
    {} as { value?: number },
  );
  return value !== undefined && value > 0 ? value : undefined;
}
