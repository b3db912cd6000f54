/** Model files by people who mean harm: each is refused with a reason before ONNX Runtime sees it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes } from '../../core/bytes.ts'
import { Problem } from '../../core/problem.ts'
import { assertHarmless } from '../../verifier/onnx/harmless.ts'
import { ATTRIBUTE, FLOAT, GRAPH, INT64, MODEL, NODE, readModel, TENSOR } from '../../verifier/onnx/model.ts'
import { bytesField, integerField, textField } from '../../verifier/onnx/wire.ts'
import { encodeFloats, encodeLongs, encodeModel, encodeNode, encodeTensor, type NewGraph, type NewNode } from '../../verifier/onnx/write.ts'
import { smallGraph } from './smallModels.ts'

function check(bytes: Uint8Array): void {
  assertHarmless(readModel(bytes))
}

function assertRefused(bytes: Uint8Array, reason: RegExp): void {
  assert.throws(
    () => check(bytes),
    (error) => error instanceof Problem && /^(unsupported-format|invalid-file)$/.test(error.code) && reason.test(error.detail),
    String(reason),
  )
}

const graphWith = (changes: Partial<NewGraph>) => encodeModel({ ...smallGraph(), ...changes })
const withNode = (node: NewNode) => graphWith({ nodes: [...smallGraph().nodes, node] })
const withTensor = (tensor: Uint8Array) => graphWith({ initializers: [...smallGraph().initializers, tensor] })
/** A model whose graph has one more node, encoded by hand. */
const withRawNode = (node: Uint8Array) => {
  const { fields, graph } = readModel(encodeModel(smallGraph()))
  const body = concatBytes(...graph.map(({ raw }) => raw), bytesField(GRAPH.node, node))
  return concatBytes(...fields.map(({ number, raw }) => (number === MODEL.graph ? bytesField(number, body) : raw)))
}

test('an honest small model passes', () => check(encodeModel(smallGraph())))

test('weights in another file are refused, however the file says so', () => {
  const tensor = encodeFloats('weights', [1], [1])
  const entry = bytesField(TENSOR.externalData, concatBytes(textField(1, 'location'), textField(2, '../../../etc/passwd')))
  assertRefused(withTensor(concatBytes(tensor, entry)), /"weights" lies in another file/)
  assertRefused(withTensor(concatBytes(tensor, integerField(TENSOR.location, 1))), /lies in another file/)
  // An enum is cut to 32 bits by some readers: 2^32 + 1 is 1 to them.
  assertRefused(withTensor(concatBytes(tensor, integerField(TENSOR.location, 2 ** 32 + 1))), /lies in another file/)
  // The first value says "here", the last "elsewhere".
  assertRefused(withTensor(concatBytes(tensor, integerField(TENSOR.location, 1), integerField(TENSOR.location, 0))), /lies in another file/)
})

test('a constant inside a node is looked at as weights are', () => {
  const external = concatBytes(encodeFloats('', [1], [1]), integerField(TENSOR.location, 1))
  const attribute = bytesField(NODE.attribute, concatBytes(textField(ATTRIBUTE.name, 'value'), bytesField(ATTRIBUTE.tensor, external)))
  assertRefused(withRawNode(concatBytes(encodeNode({ operator: 'Constant', inputs: [], outputs: ['c'] }), attribute)), /another file/)
})

test('operators of foreign domains are refused, in the list of operator sets and in a node', () => {
  const set = bytesField(MODEL.operatorSets, concatBytes(textField(1, 'evil.ops'), integerField(2, 1)))
  assertRefused(concatBytes(encodeModel(smallGraph()), set), /domain "evil\.ops"/)
  const node = encodeNode({ operator: 'Run', inputs: ['states'], outputs: ['out'] })
  assertRefused(withRawNode(concatBytes(node, textField(NODE.domain, 'evil.ops'))), /Run of the domain "evil\.ops"/)
  assertRefused(withRawNode(concatBytes(node, textField(NODE.domain, 'com.microsoft'))), /com\.microsoft\.Run/)
  const cached = encodeNode({ operator: 'EPContext', inputs: [], outputs: ['out'] })
  assertRefused(withRawNode(concatBytes(cached, textField(NODE.domain, 'com.microsoft'))), /com\.microsoft\.EPContext/)
})

test('loops, branches and other graphs within nodes are refused: they may never end', () => {
  const attribute = bytesField(NODE.attribute, concatBytes(textField(ATTRIBUTE.name, 'body'), bytesField(ATTRIBUTE.graph, textField(GRAPH.name, 'g')))) // prettier-ignore
  assertRefused(withRawNode(concatBytes(encodeNode({ operator: 'Loop', inputs: [], outputs: ['o'] }), attribute)), /Loop has a graph/)
})

test('functions, training graphs and sparse weights are refused', () => {
  const model = encodeModel(smallGraph())
  assertRefused(concatBytes(model, bytesField(MODEL.functions, textField(1, 'f'))), /functions of its own/)
  assertRefused(concatBytes(model, bytesField(MODEL.training, new Uint8Array(0))), /training graphs/)
})

test('two graphs are refused: protobuf would merge them into one that nobody has looked at', () => {
  const more = bytesField(MODEL.graph, bytesField(GRAPH.initializer, encodeFloats('more', [1], [1])))
  assertRefused(concatBytes(encodeModel(smallGraph()), more), /not exactly one graph/)
})

test('a shape that its data does not fill, or that no machine could hold, is refused', () => {
  assertRefused(withTensor(encodeTensor('w', FLOAT, [1_000_000, 1_000_000], new Uint8Array(4))), /"w" has the shape 1000000 × 1000000/)
  assertRefused(withTensor(encodeTensor('w', FLOAT, [1024], new Uint8Array(4))), /"w" does not have the data/)
  assertRefused(withTensor(encodeTensor('w', FLOAT, [], new Uint8Array(0))), /"w" does not have the data/)
  assertRefused(withTensor(encodeTensor('w', 99, [1], new Uint8Array(4))), /elements of type 99/)
  assertRefused(withTensor(encodeTensor('w', FLOAT, Array(9).fill(1), new Uint8Array(4))), /has the shape/)
})

test('a constant that is blown up to terabytes is refused', () => {
  for (const [operator, inputs] of [
    ['ConstantOfShape', ['size']],
    ['Expand', ['states', 'size']],
    ['Tile', ['states', 'size']],
  ] as const) {
    const graph = graphWith({
      nodes: [...smallGraph().nodes, { operator, inputs, outputs: ['big'] }],
      initializers: [...smallGraph().initializers, encodeLongs('size', [1 << 20, 1 << 20])],
    })
    assertRefused(graph, new RegExp(`${operator} makes a tensor of more than`))
  }
})

test('operators that roll dice are refused: nobody could recompute what they give', () => {
  assertRefused(withNode({ operator: 'RandomNormalLike', inputs: ['states'], outputs: ['noise'] }), /differs from run to run/)
})

test('law: bytes that are cut off or changed are read, or refused with a problem, and nothing else', () => {
  const model = encodeModel({
    ...smallGraph(),
    initializers: [...smallGraph().initializers, encodeTensor('n', INT64, [1], new Uint8Array(8))],
  })
  const outcome = (bytes: Uint8Array) => {
    try {
      check(bytes)
    } catch (error) {
      assert.ok(error instanceof Problem, String(error))
    }
  }
  for (let length = 0; length < model.length; length++) outcome(model.subarray(0, length))
  fc.assert(
    fc.property(fc.nat(model.length - 1), fc.nat(255), (at, byte) => {
      const changed = model.slice()
      changed[at] = byte
      outcome(changed)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), outcome), { numRuns: 500 })
})

test('bytes of nothing but continuation, and a length past the end, are refused', () => {
  assertRefused(new Uint8Array(10_000).fill(0xff), /not an ONNX model/)
  assertRefused(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f), /a field is cut off/)
})
