/**
 * Small ONNX graphs of our own, encoded as protobuf (onnx/onnx.proto3, field numbers as there): for arithmetic that ONNX Runtime does
 * many times faster than JavaScript.
 */
import { concatBytes, utf8ToBytes } from '../core/bytes.ts'

/** TensorProto.DataType. */
export const FLOAT = 1
export const INT64 = 7

export interface GraphValue {
  name: string
  type: typeof FLOAT | typeof INT64
  /** A number, or a name for a size that is known when the graph runs. */
  shape: (number | string)[]
}

export interface GraphNode {
  operator: string
  inputs: string[]
  outputs: string[]
  integers?: Record<string, number>
}

export interface Graph {
  name: string
  nodes: GraphNode[]
  inputs: GraphValue[]
  outputs: GraphValue[]
}

const IR_VERSION = 8
const OPSET_VERSION = 17
const ATTRIBUTE_INT = 2

/** A ModelProto with this graph, for ONNX operator set 17. */
export function encodeOnnxModel(graph: Graph): Uint8Array {
  return message(integer(1, IR_VERSION), bytes(7, encodeGraph(graph)), bytes(8, message(integer(2, OPSET_VERSION))))
}

function encodeGraph({ name, nodes, inputs, outputs }: Graph): Uint8Array {
  return message(
    ...nodes.map((node) => bytes(1, encodeNode(node))),
    text(2, name),
    ...inputs.map((value) => bytes(11, encodeValue(value))),
    ...outputs.map((value) => bytes(12, encodeValue(value))),
  )
}

function encodeNode({ operator, inputs, outputs, integers = {} }: GraphNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(integers).map(([name, value]) => bytes(5, message(text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)))),
  )
}

function encodeValue({ name, type, shape }: GraphValue): Uint8Array {
  const dimensions = shape.map((size) => bytes(1, message(typeof size === 'number' ? integer(1, size) : text(2, size))))
  const tensor = message(integer(1, type), bytes(2, message(...dimensions)))
  return message(text(1, name), bytes(2, message(bytes(1, tensor))))
}

function message(...fields: Uint8Array[]): Uint8Array {
  return concatBytes(...fields)
}

function integer(field: number, value: number): Uint8Array {
  return concatBytes(varint(field * 8), varint(value))
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, utf8ToBytes(value))
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return concatBytes(varint(field * 8 + 2), varint(value.length), value)
}

/** Base-128 varint of a non-negative integer below 2^31. */
function varint(value: number): Uint8Array {
  const out: number[] = []
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80)
  return Uint8Array.of(...out, value)
}
