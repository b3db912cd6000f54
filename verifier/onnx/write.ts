/** Pieces of ONNX graphs of our own, encoded as protobuf messages (onnx/onnx.proto). */
import { concatBytes } from '../../core/bytes.ts'
import { ATTRIBUTE, FLOAT, GRAPH, INT64, MODEL, NODE, TENSOR } from './model.ts'
import { bytesField, floatField, integerField, textField } from './wire.ts'

export interface NewNode {
  operator: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes?: Readonly<Record<string, Attribute>>
}

/** An attribute of a node: an integer, integers, a text, or a number marked as a float. */
export type Attribute = number | readonly number[] | string | { float: number }

/** AttributeProto.AttributeType. */
const TYPE = { float: 1, integer: 2, text: 3, integers: 7 } as const

/** A NodeProto. */
export function encodeNode({ operator, inputs, outputs, attributes = {} }: NewNode): Uint8Array {
  return concatBytes(
    ...inputs.map((name) => textField(NODE.input, name)),
    ...outputs.map((name) => textField(NODE.output, name)),
    textField(NODE.operator, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      bytesField(NODE.attribute, concatBytes(textField(ATTRIBUTE.name, name), ...encodeAttribute(value))),
    ),
  )
}

function encodeAttribute(value: Attribute): Uint8Array[] {
  if (typeof value === 'number') return [integerField(ATTRIBUTE.integer, value), integerField(ATTRIBUTE.type, TYPE.integer)]
  if (typeof value === 'string') return [textField(ATTRIBUTE.text, value), integerField(ATTRIBUTE.type, TYPE.text)]
  if ('float' in value) return [floatField(ATTRIBUTE.float, value.float), integerField(ATTRIBUTE.type, TYPE.float)]
  return [...value.map((one) => integerField(ATTRIBUTE.integers, one)), integerField(ATTRIBUTE.type, TYPE.integers)]
}

/** A TensorProto whose elements are `raw`, little-endian. */
export function encodeTensor(name: string, type: number, dimensions: readonly number[], raw: Uint8Array): Uint8Array {
  return concatBytes(
    ...dimensions.map((size) => integerField(TENSOR.dimensions, size)),
    integerField(TENSOR.type, type),
    textField(TENSOR.name, name),
    bytesField(TENSOR.raw, raw),
  )
}

/** A one-dimensional int64 tensor. */
export function encodeLongs(name: string, values: readonly number[]): Uint8Array {
  const raw = new DataView(new ArrayBuffer(values.length * 8))
  for (const [i, value] of values.entries()) raw.setBigInt64(i * 8, BigInt(value), true)
  return encodeTensor(name, INT64, [values.length], new Uint8Array(raw.buffer))
}

/** A float32 tensor; a scalar where it has no dimensions. */
export function encodeFloats(name: string, dimensions: readonly number[], values: ArrayLike<number>): Uint8Array {
  const raw = new DataView(new ArrayBuffer(values.length * 4))
  for (let i = 0; i < values.length; i++) raw.setFloat32(i * 4, values[i]!, true)
  return encodeTensor(name, FLOAT, dimensions, new Uint8Array(raw.buffer))
}

/** What a graph takes or gives: a tensor. */
export interface NewValue {
  name: string
  type: number
  /** A number, or a name for a size that is known when the graph runs. */
  shape: readonly (number | string)[]
}

/** A ValueInfoProto. */
export function encodeValue({ name, type, shape }: NewValue): Uint8Array {
  const dimensions = shape.map((size) => bytesField(1, typeof size === 'number' ? integerField(1, size) : textField(2, size)))
  const tensor = concatBytes(integerField(1, type), bytesField(2, concatBytes(...dimensions)))
  return concatBytes(textField(1, name), bytesField(2, bytesField(1, tensor)))
}

export interface NewGraph {
  name: string
  /** In an order in which every node comes after those that it takes from. */
  nodes: readonly NewNode[]
  /** TensorProtos. */
  initializers?: readonly Uint8Array[]
  inputs: readonly NewValue[]
  outputs: readonly NewValue[]
}

/** The intermediate representation that operator set 17 came with. */
const IR_VERSION = 8

/** A ModelProto with this graph, for one version of ONNX's own operators. */
export function encodeModel({ name, nodes, initializers = [], inputs, outputs }: NewGraph, operatorSet = 17): Uint8Array {
  const graph = concatBytes(
    ...nodes.map((node) => bytesField(GRAPH.node, encodeNode(node))),
    textField(GRAPH.name, name),
    ...initializers.map((tensor) => bytesField(GRAPH.initializer, tensor)),
    ...inputs.map((value) => bytesField(GRAPH.input, encodeValue(value))),
    ...outputs.map((value) => bytesField(GRAPH.output, encodeValue(value))),
  )
  return concatBytes(
    integerField(MODEL.irVersion, IR_VERSION),
    bytesField(MODEL.graph, graph),
    bytesField(MODEL.operatorSets, integerField(2, operatorSet)),
  )
}
