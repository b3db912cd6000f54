/**
 * An ONNX model (onnx/onnx.proto, https://github.com/onnx/onnx/blob/main/docs/IR.md) as far as Assay looks into it: what its graph
 * takes, computes and gives. The bytes come from strangers; `readModel` only reads, harmless.ts says what may be run.
 */
import { integerIn, integersOf, invalid, payloadIn, readFields, textIn, textsOf, type WireField } from './wire.ts'

/** Field numbers of onnx.proto. */
export const MODEL = { irVersion: 1, graph: 7, operatorSets: 8, training: 20, functions: 25 } as const
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const
export const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 } as const
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  integers: 8,
  tensors: 10,
  graphs: 11,
  type: 20,
} as const
export const SPARSE_ATTRIBUTES = [22, 23] as const
export const TENSOR = {
  dimensions: 1,
  type: 2,
  floats: 4,
  integers: 5,
  texts: 6,
  longs: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  unsignedLongs: 11,
  externalData: 13,
  location: 14,
} as const

/** TensorProto.DataType. */
export const FLOAT = 1
export const INT64 = 7
export const FLOAT16 = 10

export interface OnnxTensor {
  name: string
  type: number
  dimensions: number[]
  fields: WireField[]
}

export interface OnnxNode {
  operator: string
  /** Empty for ONNX's own operators. */
  domain: string
  inputs: string[]
  outputs: string[]
  attributes: { name: string; fields: WireField[] }[]
}

export interface OnnxModel {
  /** Of the ModelProto. */
  fields: WireField[]
  /** Of its GraphProto. */
  graph: WireField[]
  nodes: OnnxNode[]
  initializers: OnnxTensor[]
  /** Names of what the graph takes, less those that have a value of their own. */
  inputs: string[]
  /** Names of what the graph gives. */
  outputs: string[]
  /** Domain → version. */
  operatorSets: Map<string, number>
}

const MAX_ITEMS = 200_000

/** Reads a ModelProto. The tensors are views of `bytes`. Throws `invalid-file` for anything else. */
export function readModel(bytes: Uint8Array): OnnxModel {
  const fields = readFields(bytes, 10_000)
  // Protobuf would merge two of them into one that is neither.
  if (fields.filter(({ number }) => number === MODEL.graph).length !== 1) throw invalid('it has not exactly one graph')
  const graph = readFields(payloadIn(fields, MODEL.graph), MAX_ITEMS)
  const initializers = messagesIn(graph, GRAPH.initializer).map(readTensor)
  const valued = new Set(initializers.map(({ name }) => name))
  return {
    fields,
    graph,
    nodes: messagesIn(graph, GRAPH.node).map(readNode),
    initializers,
    inputs: messagesIn(graph, GRAPH.input)
      .map((value) => textIn(value, 1))
      .filter((name) => !valued.has(name)),
    outputs: messagesIn(graph, GRAPH.output).map((value) => textIn(value, 1)),
    operatorSets: new Map(messagesIn(fields, MODEL.operatorSets).map((set) => [textIn(set, 1), integerIn(set, 2)])),
  }
}

/** The messages of a repeated field. */
export function messagesIn(fields: readonly WireField[], number: number): WireField[][] {
  return fields.filter((field) => field.number === number).map(({ payload }) => readFields(payload, MAX_ITEMS))
}

export function readTensor(fields: WireField[]): OnnxTensor {
  return {
    name: textIn(fields, TENSOR.name),
    type: integerIn(fields, TENSOR.type),
    dimensions: integersOf(fields, TENSOR.dimensions),
    fields,
  }
}

function readNode(fields: WireField[]): OnnxNode {
  return {
    operator: textIn(fields, NODE.operator),
    domain: textIn(fields, NODE.domain),
    inputs: textsOf(fields, NODE.input),
    outputs: textsOf(fields, NODE.output),
    attributes: messagesIn(fields, NODE.attribute).map((attribute) => ({ name: textIn(attribute, ATTRIBUTE.name), fields: attribute })),
  }
}
