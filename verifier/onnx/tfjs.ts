/**
 * The transform `tfjs/1`: a TensorFlow.js graph model (model.json and weight files, https://www.tensorflow.org/js/guide/conversion) as an
 * ONNX model. It knows what convolutional feature extractors are made of and refuses all else. TensorFlow orders images as rows ×
 * columns × channels; the ONNX graph takes and computes channels × rows × columns, so that weights are transposed here, once.
 */
import { z } from 'zod'
import { base64ToBytes, bytesToUtf8 } from '../../core/bytes.ts'
import { Problem } from '../../core/problem.ts'
import { FLOAT } from './model.ts'
import { type Attribute, encodeFloats, encodeLongs, encodeModel, type NewNode } from './write.ts'

/** Input and output of the ONNX graph. */
export const TFJS_INPUT = 'pixels'
export const TFJS_OUTPUT = 'features'

const Integers = z.object({ list: z.object({ i: z.array(z.coerce.number().int()).default([]) }) }).transform(({ list }) => list.i)
const Base64 = z.string().transform((text) => bytesToUtf8(base64ToBytes(text)))

const Node = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z
    .object({
      padding: z.object({ s: Base64 }).optional(),
      data_format: z.object({ s: Base64 }).optional(),
      strides: Integers.optional(),
      dilations: Integers.optional(),
      ksize: Integers.optional(),
      squeeze_dims: Integers.optional(),
      keep_dims: z.object({ b: z.boolean() }).optional(),
      fused_ops: z.object({ list: z.object({ s: z.array(Base64).default([]) }) }).optional(),
    })
    .default({}),
})
type Node = z.infer<typeof Node>

const Weight = z.object({
  name: z.string(),
  shape: z.array(z.number().int().min(1)).max(8),
  dtype: z.enum(['float32', 'int32']),
  quantization: z.never().optional(),
})

const GraphModel = z.object({
  format: z.literal('graph-model'),
  modelTopology: z.object({ node: z.array(Node).max(10_000) }),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(Weight).max(10_000) })).max(64),
})
type GraphModel = z.infer<typeof GraphModel>

/** Paths of the weight files that a model.json names, relative to it. Throws `invalid-file` for any other JSON. */
export function tfjsWeightPaths(modelJson: Uint8Array): string[] {
  return parse(modelJson).weightsManifest.flatMap(({ paths }) => paths)
}

/**
 * The ONNX model of a graph model for images of `height` × `width`, given the weight files in the order of `tfjsWeightPaths`. Throws
 * `invalid-file` where the files do not fit together, `unsupported-format` for an operation that is not known here.
 */
export function tfjsToOnnx(
  modelJson: Uint8Array,
  weightFiles: readonly Uint8Array[],
  { height, width }: { height: number; width: number },
): Uint8Array {
  const model = parse(modelJson)
  const graph = createGraph(readWeights(model, weightFiles))
  let output: string | undefined
  for (const node of model.modelTopology.node) {
    convert(node, graph)
    if (node.op === 'Identity') output = node.name
  }
  if (output === undefined) throw refused('it has no output (an Identity at its end)')
  graph.add('Identity', [output], TFJS_OUTPUT)
  return encodeModel({
    name: 'tfjs',
    nodes: graph.nodes,
    initializers: [...graph.initializers.values()],
    inputs: [{ name: TFJS_INPUT, type: FLOAT, shape: ['batch', 3, height, width] }],
    outputs: [{ name: TFJS_OUTPUT, type: FLOAT, shape: ['batch', 'width'] }],
  })
}

interface Constant {
  shape: number[]
  values: Float32Array | Int32Array
}

function parse(modelJson: Uint8Array): GraphModel {
  let value: unknown
  try {
    value = JSON.parse(bytesToUtf8(modelJson))
  } catch (cause) {
    throw new Problem('invalid-file', 'not a TensorFlow.js model: not JSON', { cause })
  }
  const result = GraphModel.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new Problem(
    'invalid-file',
    `not a TensorFlow.js graph model at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`,
  )
}

/** The weights of a group lie one after the other over all files of the group. */
function readWeights({ weightsManifest }: GraphModel, files: readonly Uint8Array[]): Map<string, Constant> {
  const constants = new Map<string, Constant>()
  let first = 0
  for (const { paths, weights } of weightsManifest) {
    const bytes = Buffer.concat(files.slice(first, first + paths.length))
    first += paths.length
    let offset = 0
    for (const { name, shape, dtype } of weights) {
      const count = shape.reduce((product, size) => product * size, 1)
      if (offset + 4 * count > bytes.length) throw new Problem('invalid-file', `the weight files end before "${name}"`)
      const values = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count)
      for (let i = 0; i < count; i++)
        values[i] = dtype === 'float32' ? bytes.readFloatLE(offset + 4 * i) : bytes.readInt32LE(offset + 4 * i)
      constants.set(name, { shape, values })
      offset += 4 * count
    }
    if (offset !== bytes.length) throw new Problem('invalid-file', `the weight files have ${bytes.length - offset} bytes too many`)
  }
  return constants
}

interface Graph {
  nodes: NewNode[]
  initializers: Map<string, Uint8Array>
  add(operator: string, inputs: string[], output: string, attributes?: Record<string, Attribute>): void
  /** The weight of this name. */
  constant(name: string | undefined): Constant
  isConstant(name: string): boolean
  floats(name: string, shape: number[], values: Float32Array): string
}

function createGraph(constants: ReadonlyMap<string, Constant>): Graph {
  const known = new Set([TFJS_INPUT])
  const graph: Graph = {
    nodes: [],
    initializers: new Map(),
    add(operator, inputs, output, attributes = {}) {
      const missing = inputs.find((name) => !known.has(name) && !graph.initializers.has(name))
      if (missing !== undefined) throw new Problem('invalid-file', `"${missing}" is used before it is computed`)
      known.add(output)
      graph.nodes.push({ operator, inputs, outputs: [output], attributes })
    },
    constant(name = '') {
      const constant = constants.get(name)
      if (constant === undefined) throw refused(`"${name}" is no weight`)
      return constant
    },
    isConstant: (name) => constants.has(name),
    floats(name, shape, values) {
      graph.initializers.set(name, encodeFloats(name, shape, values))
      return name
    },
  }
  return graph
}

function convert(node: Node, graph: Graph): void {
  const { name, op, input, attr } = node
  if (attr.data_format !== undefined && attr.data_format.s !== 'NHWC') throw refused(`${name} orders images as ${attr.data_format.s}`)
  const [first = ''] = input
  switch (op) {
    case 'Const':
      return graph.isConstant(name) ? undefined : void graph.constant(name)
    case 'Placeholder':
      return graph.add('Identity', [TFJS_INPUT], name)
    case 'Identity':
      return graph.add('Identity', [first], name)
    case 'Relu6':
      return graph.add('Clip', [first, ...sixes(graph)], name)
    case 'Relu':
      return graph.add('Relu', [first], name)
    case 'Mul':
    case 'Sub':
    case 'AddV2':
      return graph.add(
        op === 'AddV2' ? 'Add' : op,
        input.map((one) => operand(one, graph)),
        name,
      )
    case '_FusedConv2D':
    case 'FusedDepthwiseConv2dNative':
      return convolve(node, graph)
    case 'Mean': {
      const { values } = graph.constant(input[1])
      if (attr.keep_dims?.b !== true || [...values].join() !== '1,2') throw refused(`${name} is no mean over an image`)
      return graph.add('GlobalAveragePool', [first], name)
    }
    case 'AvgPool':
      return graph.add('AveragePool', [first], name, { kernel_shape: spatial(attr.ksize, node), strides: spatial(attr.strides, node), auto_pad: padding(node) }) // prettier-ignore
    case 'Squeeze':
      if (attr.squeeze_dims?.join() !== '1,2') throw refused(`${name} drops other dimensions than those of an image`)
      graph.initializers.set('tfjs/flat', encodeLongs('tfjs/flat', [0, -1]))
      return graph.add('Reshape', [first, 'tfjs/flat'], name)
    default:
      throw refused(`it has the operation ${op}`)
  }
}

function sixes(graph: Graph): [string, string] {
  return [graph.floats('tfjs/0', [], Float32Array.of(0)), graph.floats('tfjs/6', [], Float32Array.of(6))]
}

/** A tensor that was computed, or a constant that is one number or one for each channel. */
function operand(name: string, graph: Graph): string {
  if (!graph.isConstant(name)) return name
  const { shape, values } = graph.constant(name)
  if (!(values instanceof Float32Array) || shape.length > 1) throw refused(`"${name}" is neither a number nor one for each channel`)
  return graph.floats(name, shape.length === 0 ? [] : [values.length, 1, 1], values)
}

/** A convolution with what TensorFlow's optimiser melted into it: a bias, then maybe an activation. */
function convolve(node: Node, graph: Graph): void {
  const { name, op, input, attr } = node
  const [source = '', filterName, biasName] = input
  const [bias, activation, ...more] = attr.fused_ops?.list.s ?? []
  if (bias !== 'BiasAdd' || more.length > 0 || input.length !== 3)
    throw refused(`${name} is melted with ${attr.fused_ops?.list.s.join(', ') ?? 'nothing'}`)
  const filter = transposeFilter(graph.constant(filterName), op === '_FusedConv2D', name)
  const { values } = graph.constant(biasName)
  const weights = graph.floats(`${name}/filter`, filter.shape, filter.values)
  const offsets = graph.floats(`${name}/bias`, [values.length], Float32Array.from(values))
  const output = activation === undefined ? name : `${name}/convolved`
  graph.add('Conv', [source, weights, offsets], output, {
    kernel_shape: filter.shape.slice(2),
    strides: spatial(attr.strides, node),
    dilations: spatial(attr.dilations, node),
    group: filter.groups,
    auto_pad: padding(node),
  })
  if (activation === 'Relu') graph.add('Relu', [output], name)
  else if (activation === 'Relu6') graph.add('Clip', [output, ...sixes(graph)], name)
  else if (activation !== undefined) throw refused(`${name} is melted with ${activation}`)
}

/**
 * rows × columns × in × out to out × in × rows × columns; depthwise, rows × columns × in × multiplier to in·multiplier × 1 × rows ×
 * columns in as many groups as there are inputs.
 */
function transposeFilter(
  { shape, values }: Constant,
  isDense: boolean,
  name: string,
): { shape: number[]; values: Float32Array; groups: number } {
  const [rows, columns, inputs, outputs] = shape
  if (rows === undefined || columns === undefined || inputs === undefined || outputs === undefined || shape.length !== 4)
    throw refused(`the filter of ${name} has ${shape.length} dimensions`)
  const [major, minor] = isDense ? [outputs, inputs] : [inputs, outputs]
  const transposed = new Float32Array(values.length)
  let at = 0
  for (let a = 0; a < major; a++)
    for (let b = 0; b < minor; b++)
      for (let position = 0; position < rows * columns; position++) {
        const [from, to] = isDense ? [b, a] : [a, b]
        transposed[at++] = values[(position * inputs + from) * outputs + to]!
      }
  return isDense
    ? { shape: [outputs, inputs, rows, columns], values: transposed, groups: 1 }
    : { shape: [inputs * outputs, 1, rows, columns], values: transposed, groups: inputs }
}

/** The two sizes in the middle of four; the outer two must be 1. */
function spatial(sizes: number[] | undefined, { name }: Node): number[] {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = sizes ?? []
  if (batch !== 1 || channels !== 1 || (sizes !== undefined && sizes.length !== 4)) throw refused(`${name} steps over images or channels`)
  return [rows, columns]
}

/** TensorFlow's SAME puts the odd row or column at the end. */
function padding({ name, attr }: Node): string {
  const text = attr.padding?.s
  if (text === 'SAME') return 'SAME_UPPER'
  if (text === 'VALID') return 'VALID'
  throw refused(`${name} pads by ${text ?? 'nothing that it says'}`)
}

function refused(reason: string): Problem {
  return new Problem('unsupported-format', `this TensorFlow.js model is not converted: ${reason}`)
}
