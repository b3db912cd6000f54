/**
 * The transform `half/1`: weights at half precision, and products with them too, as GPUs do several times faster. Every two-dimensional
 * float32 weight that only `MatMul` (as its right side) and `Gather` (as its table) read is stored as float16; what goes into such a
 * product is cast to float16, what comes out of it back to float32. All else, the normalisations above all, stays float32.
 */
import { concatBytes } from '../../core/bytes.ts'
import { FLOAT, FLOAT16, GRAPH, MODEL, NODE, type OnnxModel, type OnnxNode, type OnnxTensor, TENSOR } from './model.ts'
import { bytesField, bytesHeader, payloadIn, readFields, textField, textIn, textsOf } from './wire.ts'
import { encodeNode, encodeTensor } from './write.ts'

/** The transformed model in pieces. */
export function halfPrecision(model: OnnxModel): Uint8Array[] {
  const weights = new Map(model.initializers.filter((tensor) => isHalved(tensor, model.nodes)).map((tensor) => [tensor.name, tensor]))
  const graph = model.graph.flatMap(({ number, raw, payload }) => {
    if (number === GRAPH.node) return halveNode(payload, raw, weights)
    if (number !== GRAPH.initializer) return [raw]
    const weight = weights.get(textIn(readFields(payload), TENSOR.name))
    return weight === undefined ? [raw] : [bytesField(GRAPH.initializer, halveTensor(weight))]
  })
  const header = bytesHeader(
    MODEL.graph,
    graph.reduce((sum, { length }) => sum + length, 0),
  )
  return model.fields.flatMap(({ number, raw }) => (number === MODEL.graph ? [header, ...graph] : [raw]))
}

function isHalved({ name, type, dimensions, fields }: OnnxTensor, nodes: readonly OnnxNode[]): boolean {
  if (type !== FLOAT || dimensions.length !== 2 || payloadIn(fields, TENSOR.raw).length === 0) return false
  const readers = nodes.filter(({ inputs }) => inputs.includes(name))
  return (
    readers.length > 0 &&
    readers.every((node) => node.inputs[weightInput(node.operator)] === name && node.inputs.indexOf(name) === weightInput(node.operator))
  )
}

/** Which input of an operator may be a halved weight; −1: none. */
function weightInput(operator: string): number {
  return operator === 'MatMul' ? 1 : operator === 'Gather' ? 0 : -1
}

function halveNode(payload: Uint8Array, raw: Uint8Array, weights: ReadonlyMap<string, OnnxTensor>): Uint8Array[] {
  const fields = readFields(payload)
  const operator = textIn(fields, NODE.operator)
  const inputs = textsOf(fields, NODE.input)
  if (!weights.has(inputs[weightInput(operator)] ?? '')) return [raw]
  const output = textsOf(fields, NODE.output)[0] ?? ''
  const half = `${output}/half`
  const cast = (from: string, to: string, type: number) =>
    bytesField(GRAPH.node, encodeNode({ operator: 'Cast', inputs: [from], outputs: [to], attributes: { to: type } }))
  const before = operator === 'MatMul' ? [cast(inputs[0]!, `${output}/left`, FLOAT16)] : []
  const newInputs = operator === 'MatMul' ? [`${output}/left`, inputs[1]!] : inputs
  const node = concatBytes(
    ...newInputs.map((name) => textField(NODE.input, name)),
    textField(NODE.output, half),
    ...fields.filter(({ number }) => number !== NODE.input && number !== NODE.output).map((field) => field.raw),
  )
  return [...before, bytesField(GRAPH.node, node), cast(half, output, FLOAT)]
}

/** To the nearest float16, ties to even; beyond its range the largest finite one, since an infinity would spread. */
function halveTensor({ name, dimensions, fields }: OnnxTensor): Uint8Array {
  const raw = payloadIn(fields, TENSOR.raw)
  const source = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const target = new DataView(new ArrayBuffer(raw.length / 2))
  for (let i = 0; i < raw.length / 4; i++)
    target.setFloat16(i * 2, Math.max(-MAX_HALF, Math.min(MAX_HALF, source.getFloat32(i * 4, true))), true)
  return encodeTensor(name, FLOAT16, dimensions, new Uint8Array(target.buffer))
}

const MAX_HALF = 65_504
