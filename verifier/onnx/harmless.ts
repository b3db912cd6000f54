/**
 * What a model file may hold before ONNX Runtime is shown it. A graph is a program of a stranger: it must not read files, must not load
 * code, must come to an end, must not ask for absurd amounts of memory, and must give the same result twice.
 */
import { Problem } from '../../core/problem.ts'
import {
  ATTRIBUTE,
  FLOAT,
  FLOAT16,
  GRAPH,
  INT64,
  MODEL,
  messagesIn,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  readTensor,
  SPARSE_ATTRIBUTES,
  TENSOR,
} from './model.ts'
import { integersOf, payloadIn } from './wire.ts'

/** Protobuf's own limit, and ONNX Runtime's for a model without external data. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1
/** Elements of a tensor: four times the largest weights of a text encoder of 250,000 words × 1024. */
const MAX_ELEMENTS = 2 ** 30
const MAX_RANK = 8
/** Elements that a constant may be blown up to by an operator that takes a shape. */
const MAX_FILLED = 2 ** 26

/** Operators of ONNX Runtime's own domain that transformers and quantised models use: arithmetic, all of it. */
const RUNTIME_OPERATORS = new Set([
  'Attention',
  'BiasGelu',
  'DequantizeLinear',
  'DynamicQuantizeMatMul',
  'EmbedLayerNormalization',
  'FastGelu',
  'FusedConv',
  'FusedGemm',
  'FusedMatMul',
  'Gelu',
  'GroupQueryAttention',
  'LayerNormalization',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'MultiHeadAttention',
  'QAttention',
  'QEmbedLayerNormalization',
  'QGemm',
  'QLinearAdd',
  'QLinearMul',
  'QuantizeLinear',
  'QuickGelu',
  'RotaryEmbedding',
  'SimplifiedLayerNormalization',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
])
const RUNTIME_DOMAIN = 'com.microsoft'

const RANDOM_OPERATORS = new Set(['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'])

/** Operators whose output is as large as one of their inputs says: operator → that input. */
const SHAPED_BY: Record<string, number> = { ConstantOfShape: 0, Expand: 1, Tile: 1 }

/** Throws `unsupported-format`, saying what, for a model that may not be run. */
export function assertHarmless(model: OnnxModel): void {
  for (const domain of model.operatorSets.keys())
    if (!isKnownDomain(domain)) throw refused(`it wants operators of the domain "${domain}", which would be foreign code`)
  if (messagesIn(model.fields, MODEL.functions).length > 0) throw refused('it defines functions of its own')
  if (messagesIn(model.fields, MODEL.training).length > 0) throw refused('it carries training graphs')
  if (messagesIn(model.graph, GRAPH.sparseInitializer).length > 0) throw refused('it has sparse weights')
  const constants = new Map<string, OnnxTensor>()
  for (const tensor of model.initializers) {
    checkTensor(tensor)
    constants.set(tensor.name, tensor)
  }
  for (const node of model.nodes) {
    checkNode(node, constants)
    if (node.operator === 'Constant')
      for (const { fields } of node.attributes)
        for (const tensor of messagesIn(fields, ATTRIBUTE.tensor)) constants.set(node.outputs[0] ?? '', readTensor(tensor))
  }
}

function isKnownDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx' || domain === RUNTIME_DOMAIN
}

function checkNode(node: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): void {
  const { operator, domain } = node
  if (!isKnownDomain(domain)) throw refused(`it has an operator ${operator} of the domain "${domain}", which would be foreign code`)
  if (domain === RUNTIME_DOMAIN && !RUNTIME_OPERATORS.has(operator)) throw refused(`it has the operator ${domain}.${operator}`)
  if (RANDOM_OPERATORS.has(operator)) throw refused(`it has the operator ${operator}, whose result differs from run to run`)
  for (const { fields } of node.attributes) {
    for (const { number } of fields) {
      if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs)
        throw refused(`its operator ${operator} has a graph inside it, which may run for ever`)
      if (SPARSE_ATTRIBUTES.some((sparse) => sparse === number)) throw refused(`its operator ${operator} has a sparse tensor`)
    }
    for (const number of [ATTRIBUTE.tensor, ATTRIBUTE.tensors])
      for (const tensor of messagesIn(fields, number)) checkTensor(readTensor(tensor))
  }
  const shapeInput = SHAPED_BY[operator]
  if (shapeInput === undefined) return
  const shape = constants.get(node.inputs[shapeInput] ?? '')
  if (shape !== undefined && product(longsOf(shape).map(Math.abs)) > MAX_FILLED)
    throw refused(`its operator ${operator} makes a tensor of more than ${MAX_FILLED} elements out of nothing`)
}

/** Bytes of an element where TensorProto.raw_data holds it; types that models of weights do not use are left out. */
const ELEMENT_BYTES: Record<number, number> = {
  [FLOAT]: 4,
  2: 1, // uint8
  3: 1, // int8
  4: 2, // uint16
  5: 2, // int16
  6: 4, // int32
  [INT64]: 8,
  9: 1, // bool
  [FLOAT16]: 2,
  11: 8, // double
  12: 4, // uint32
  13: 8, // uint64
  16: 2, // bfloat16
}

function checkTensor({ name, type, dimensions, fields }: OnnxTensor): void {
  // A location is an enum of 32 bits: any value that is not plainly 0 may mean "external" to somebody.
  const isExternal = fields.some(({ number, integer }) => number === TENSOR.externalData || (number === TENSOR.location && integer !== 0))
  if (isExternal) throw refused(`its tensor "${name}" lies in another file`)
  const elementBytes = ELEMENT_BYTES[type]
  if (elementBytes === undefined) throw refused(`its tensor "${name}" has elements of type ${type}`)
  const elements = product(dimensions)
  if (dimensions.length > MAX_RANK || dimensions.some((size) => size < 0) || elements > MAX_ELEMENTS)
    throw refused(`its tensor "${name}" has the shape ${dimensions.slice(0, MAX_RANK).join(' × ')}`)
  if (!holds(fields, elements, elementBytes)) throw refused(`its tensor "${name}" does not have the data that its shape asks for`)
}

/** Whether a tensor carries its elements: exactly so in `raw_data`; elsewhere at least a byte for each. */
function holds(fields: OnnxTensor['fields'], elements: number, elementBytes: number): boolean {
  const raw = payloadIn(fields, TENSOR.raw)
  if (raw.length > 0) return raw.length === elements * elementBytes
  const typed = [TENSOR.floats, TENSOR.integers, TENSOR.longs, TENSOR.doubles, TENSOR.unsignedLongs]
  const bytes = fields.reduce((sum, { number, raw: whole }) => (typed.some((one) => one === number) ? sum + whole.length : sum), 0)
  return bytes >= elements
}

/** The values of a small int64 tensor. */
function longsOf({ fields }: OnnxTensor): number[] {
  const raw = payloadIn(fields, TENSOR.raw)
  if (raw.length === 0) return integersOf(fields, TENSOR.longs)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  return Array.from({ length: Math.floor(raw.length / 8) }, (_, i) => Number(view.getBigInt64(i * 8, true)))
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1)
}

function refused(reason: string): Problem {
  return new Problem('unsupported-format', `this model is not run: ${reason}`)
}
