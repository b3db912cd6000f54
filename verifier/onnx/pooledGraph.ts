/**
 * The transform `pooled/1`: from a text encoder whose graph gives a state for each token to one that gives pooled vectors alone, so that
 * token states never leave the runtime. The same file and choices give the same bytes, so the result has a digest that a recipe can name.
 *
 * The graph keeps all of its own fields byte for byte, less its outputs, and gets at its end, with S the states (rows × tokens × width)
 * as float32 and m the attention mask (rows × tokens) as float32:
 *
 *     embedding      v = Σ m S / Σ m (or S at the first token, or S as it is), divided by max(√(v·v), 1e-12) where the model says so
 *     layer NAME     for the tensor that the manifest names: [mean, standard deviation] over tokens, mean = Σ m S / Σ m and
 *                    deviation = √(Σ m (S − mean)² / Σ m), rows × 2·width
 *
 * Sums over tokens are matrix products with the mask, whose order of addition must not depend on the padding behind a text. It does in
 * ONNX Runtime's kernel for a single row, which adds by fours and a rest; so the mask stands twice, and one of the two sums is taken.
 * Only operators are used that mean the same in every operator set from 8 on.
 */
import { Problem } from '../../core/problem.ts'
import { FLOAT, GRAPH, MODEL, type OnnxModel } from './model.ts'
import { bytesField, bytesHeader } from './wire.ts'
import { encodeFloats, encodeLongs, encodeNode, encodeValue, type NewNode } from './write.ts'

export interface PooledGraphOptions {
  /** The tensor to pool: states for each token, or with `pooling: 'none'` one vector for each row. */
  states: string
  pooling: 'mean' | 'cls' | 'none'
  normalized: boolean
  /** Tensors of token states, for their mean and deviation. */
  layers: readonly { name: string; tensor: string }[]
}

export const EMBEDDING_OUTPUT = 'assay/embedding'
export const MASK_INPUT = 'attention_mask'

export function layerOutput(name: string): string {
  return `assay/layer/${name}`
}

/** The derived model in pieces, to be written one after the other. Throws `unsupported-format` where a tensor is missing. */
export function pooledGraph(model: OnnxModel, options: PooledGraphOptions): Uint8Array[] {
  const { states, pooling, normalized, layers } = options
  for (const tensor of [states, ...layers.map((layer) => layer.tensor)])
    if (!model.nodes.some(({ outputs }) => outputs.includes(tensor)))
      throw new Problem('unsupported-format', `the model computes no tensor "${tensor}"`)
  const tail = createTail()
  const vector = pooling === 'none' ? tail.reshape(tail.float(states), [0, 1, -1]) : poolStates(tail, tail.float(states), pooling)
  tail.give(EMBEDDING_OUTPUT, normalized ? unitVector(tail, vector) : vector)
  for (const { name, tensor } of layers) tail.give(layerOutput(name), momentsOf(tail, tail.float(tensor)))
  return withTail(model, tail)
}

/** rows × 1 × width, pointing where the pooled vector points. */
function poolStates(tail: Tail, states: string, pooling: 'mean' | 'cls'): string {
  if (pooling === 'cls') return tail.reshape(tail.add('Gather', [states, tail.longs([0])], { axis: 1 }), [0, 1, -1])
  return meanOf(tail, states)
}

/** rows × 1 × width: the mean over the tokens of the mask. */
function meanOf(tail: Tail, states: string): string {
  const { rowTwice, count } = tail.mask()
  return tail.add('Div', [tail.add('Gather', [tail.add('MatMul', [rowTwice, states]), tail.longs([0])], { axis: 1 }), count])
}

function unitVector(tail: Tail, vector: string): string {
  const squares = tail.add('MatMul', [vector, tail.reshape(vector, [0, -1, 1])])
  return tail.add('Div', [vector, tail.add('Max', [tail.add('Sqrt', [squares]), tail.scalar(1e-12)])])
}

function momentsOf(tail: Tail, states: string): string {
  const mean = meanOf(tail, states)
  const centred = tail.add('Sub', [states, mean])
  const variance = meanOf(tail, tail.add('Mul', [centred, centred]))
  return tail.add('Concat', [mean, tail.add('Sqrt', [variance])], { axis: 2 })
}

interface Tail {
  nodes: Uint8Array[]
  initializers: Uint8Array[]
  outputs: Uint8Array[]
  /** Adds a node of one output, whose name it gives. */
  add(operator: string, inputs: string[], attributes?: NewNode['attributes']): string
  float(tensor: string): string
  reshape(tensor: string, shape: number[]): string
  longs(values: number[]): string
  scalar(value: number): string
  /** The mask twice, as rows × 2 × tokens, and its sum as rows × 1 × 1. */
  mask(): { rowTwice: string; count: string }
  /** Makes rows × 1 × width an output rows × width. */
  give(name: string, tensor: string): void
}

function createTail(): Tail {
  const constants = new Map<string, string>()
  let mask: ReturnType<Tail['mask']> | undefined
  let next = 0
  const fresh = () => `assay/${next++}`
  const constant = (key: string, encode: (name: string) => Uint8Array): string => {
    let name = constants.get(key)
    if (name === undefined) {
      name = fresh()
      constants.set(key, name)
      tail.initializers.push(encode(name))
    }
    return name
  }
  const tail: Tail = {
    nodes: [],
    initializers: [],
    outputs: [],
    add(operator, inputs, attributes = {}) {
      const output = fresh()
      tail.nodes.push(encodeNode({ operator, inputs, outputs: [output], attributes }))
      return output
    },
    float: (tensor) => tail.add('Cast', [tensor], { to: FLOAT }),
    reshape: (tensor, shape) => tail.add('Reshape', [tensor, tail.longs(shape)]),
    longs: (values) => constant(`longs ${values.join(' ')}`, (name) => encodeLongs(name, values)),
    scalar: (value) => constant(`float ${value}`, (name) => encodeFloats(name, [], [value])),
    mask() {
      if (mask === undefined) {
        const ones = tail.float(MASK_INPUT)
        const row = tail.reshape(ones, [0, 1, -1])
        mask = { rowTwice: tail.add('Concat', [row, row], { axis: 1 }), count: tail.add('MatMul', [row, tail.reshape(ones, [0, -1, 1])]) }
      }
      return mask
    },
    give(name, tensor) {
      tail.nodes.push(encodeNode({ operator: 'Reshape', inputs: [tensor, tail.longs([0, -1])], outputs: [name] }))
      tail.outputs.push(encodeValue({ name, type: FLOAT, shape: ['batch', 'width'] }))
    },
  }
  return tail
}

function withTail(model: OnnxModel, { nodes, initializers, outputs }: Tail): Uint8Array[] {
  const graph = [
    ...model.graph.filter(({ number }) => number !== GRAPH.output).map(({ raw }) => raw),
    ...nodes.map((node) => bytesField(GRAPH.node, node)),
    ...initializers.map((tensor) => bytesField(GRAPH.initializer, tensor)),
    ...outputs.map((value) => bytesField(GRAPH.output, value)),
  ]
  const header = bytesHeader(
    MODEL.graph,
    graph.reduce((sum, { length }) => sum + length, 0),
  )
  return model.fields.flatMap(({ number, raw }) => (number === MODEL.graph ? [header, ...graph] : [raw]))
}
