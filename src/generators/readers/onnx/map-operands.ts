import { Inexpressible, type Known } from './known';
import type { OnnxNode } from './model';
import type { MapValue, NetworkBuilder } from './network-builder';

/** A value of the graph: a tensor that does not depend on the image, or a feature map. */
export type Value = Known | MapValue;

export const isMap = (value: Value | undefined): value is MapValue => value !== undefined && 'map' in value;

/** What an operation of maps gets: the node, its inputs, and how many nodes read its output. */
export interface MapOperands {
  readonly node: OnnxNode;
  readonly inputs: readonly (Value | undefined)[];
  readonly builder: NetworkBuilder;
  readonly readers: number;
}

export function mapAt({ inputs, node }: Pick<MapOperands, 'inputs' | 'node'>, i: number): MapValue {
  const value = inputs[i];
  if (isMap(value)) return value;
  throw new Inexpressible(`${node.op} of what is no feature map`);
}

export function known({ inputs, node }: Pick<MapOperands, 'inputs' | 'node'>, i: number): Known;
export function known(
  operands: Pick<MapOperands, 'inputs' | 'node'>,
  i: number,
  optional: true,
): Known | undefined;
export function known(
  { inputs, node }: Pick<MapOperands, 'inputs' | 'node'>,
  i: number,
  optional = false,
): Known | undefined {
  const value = inputs[i];
  if (isMap(value) || !(value || optional))
    throw new Inexpressible(`${node.op} whose input ${i} is no constant`);
  return value;
}
