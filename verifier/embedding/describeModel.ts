/**
 * From a directory in the hub's layout to a model: what its configuration says of it, and the digests of files and graphs. What a
 * configuration does not say comes from the caller.
 */
import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { ModelMode } from '../../core/documents/recipe.ts'
import { type InnerLayer, type Model, type ModelDescription, type ModelFile, namedFiles, type TextModel } from '../../core/models.ts'
import { Problem, messageOf } from '../../core/problem.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { MAX_MODEL_BYTES } from '../onnx/harmless.ts'
import { type OnnxModel, readModel } from '../onnx/model.ts'
import { tfjsWeightPaths } from '../onnx/tfjs.ts'
import { deriveGraph } from './derive.ts'

export interface DescribeOptions {
  directory: string
  name: string
  license: string
  /** Path of the ONNX graph in the directory. */
  graph: string
  /** Where the directory does not say. */
  pooling?: TextModel['pooling'] | undefined
  maxTokens?: number | undefined
  prefix?: string | undefined
  /** Numbers of the blocks whose statistics are given out; the middle two by default, where the graph names its blocks. */
  layers?: readonly number[] | undefined
}

const TOKENIZER = { vocabulary: 'tokenizer.json', configuration: 'tokenizer_config.json' }
const DEFAULT_MAX_TOKENS = 128

/** What a directory says of the text encoder in it. Throws Problems that name what is missing. */
export async function describeTextModel(options: DescribeOptions): Promise<ModelDescription> {
  const { directory, graph } = options
  const file = readModel(await readFile(join(directory, graph)))
  const output = file.outputs.find((name) => name === 'last_hidden_state') ?? file.outputs[0]
  if (output === undefined) throw new Problem('unsupported-format', `${graph} has no output`)
  const dimensions = await hiddenSize(directory)
  return {
    role: 'text-embedding',
    name: options.name,
    license: options.license,
    graph,
    format: 'onnx',
    dimensions,
    normalized: true,
    output,
    pooling: options.pooling ?? (await poolingOf(directory)),
    tokenizer: TOKENIZER,
    maxTokens: options.maxTokens ?? DEFAULT_MAX_TOKENS,
    prefix: options.prefix ?? '',
    layers: layersOf(file, options.layers, dimensions),
  }
}

/** The description of a model with the digests of its files in a directory and of the graphs derived from them. */
export async function lockModel(directory: string, description: ModelDescription): Promise<Model> {
  const read = (path: string) => readFile(join(directory, path))
  const graph = await read(description.graph)
  const weights =
    description.format === 'tfjs' ? tfjsWeightPaths(graph).map((path) => posix.join(posix.dirname(description.graph), path)) : []
  const files = await Promise.all([...namedFiles(description), ...weights].map((path) => describeFile(directory, path)))
  const model: Model = { kind: 'model', version: 1, ...description, files, derived: [] }
  for (const [mode, transform] of transformsFor(description, graph)) {
    const digest = createHash('sha256')
    for (const piece of await deriveGraph(model, transform, read)) digest.update(piece)
    model.derived.push({ mode, transform, sha256: digest.digest('hex') })
  }
  return model
}

function transformsFor({ format }: ModelDescription, graph: Uint8Array): [ModelMode, string][] {
  if (format === 'tfjs') return [['fp32', 'tfjs/1+pooled/1']]
  const isQuantised = readModel(graph).nodes.some(({ operator }) => operator === 'MatMulInteger' || operator === 'DynamicQuantizeLinear')
  if (isQuantised) return [['int8', 'pooled/1']]
  return [
    ['fp32', 'pooled/1'],
    ['fp16', 'half/1+pooled/1'],
  ]
}

/** A file of a model by its bytes. Throws `not-found` where it is not there. */
export async function describeFile(directory: string, path: string): Promise<ModelFile> {
  const place = join(directory, path)
  const status = await stat(place).catch((cause: unknown) => {
    throw new Problem('not-found', `${place} is missing: ${messageOf(cause)}`, { cause })
  })
  if (status.size > MAX_MODEL_BYTES)
    throw new Problem('too-large', `${place} has ${status.size} bytes; at most ${MAX_MODEL_BYTES} are read`)
  const digest = createHash('sha256')
  const builder = createFileBuilder({ hash: (bytes) => hash('sha256', bytes, 'buffer') })
  for await (const chunk of createReadStream(place, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>) {
    digest.update(chunk)
    builder.push(chunk)
  }
  const { cid, sizeBytes } = builder.finish()
  return { path, sizeBytes, sha256: digest.digest('hex'), cid }
}

async function hiddenSize(directory: string): Promise<number> {
  const configuration = await readJson(directory, 'config.json')
  const size = configuration?.['hidden_size']
  if (typeof size === 'number') return size
  throw new Problem('not-found', `${join(directory, 'config.json')} does not say the "hidden_size" of the model`)
}

/** As Sentence Transformers writes it down. */
async function poolingOf(directory: string): Promise<TextModel['pooling']> {
  const configuration = await readJson(directory, '1_Pooling/config.json')
  if (configuration?.['pooling_mode_cls_token'] === true) return 'cls'
  if (configuration?.['pooling_mode_mean_tokens'] === true) return 'mean'
  throw new Problem('invalid-request', 'the directory does not say how states are pooled (1_Pooling/config.json); give --pooling')
}

async function readJson(directory: string, path: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(join(directory, path), 'utf8').catch(() => null)
  if (text === null) return null
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? { ...value } : null
}

/** What ends a block of a BERT, a RoBERTa or an XLM-RoBERTa as PyTorch exports them. */
const BLOCK_END = /^\/(?:[a-z_]+\/)?encoder\/layer\.(\d+)\/output\/LayerNorm\/(?:Add_1_output_0|LayerNormalization_output_0)$/

function layersOf(file: OnnxModel, numbers: readonly number[] | undefined, width: number): InnerLayer[] {
  const blocks = new Map<number, string>()
  for (const tensor of file.nodes.flatMap(({ outputs }) => outputs)) {
    const match = BLOCK_END.exec(tensor)
    if (match !== null) blocks.set(Number(match[1]) + 1, tensor)
  }
  const middle = Math.ceil(blocks.size / 2)
  const wanted = numbers ?? (blocks.size >= 4 ? [middle, middle + 1] : [])
  return wanted.map((number) => {
    const tensor = blocks.get(number)
    if (tensor === undefined)
      throw new Problem(
        'invalid-request',
        `the graph has no block ${number}; it has ${blocks.size === 0 ? 'none that can be told by its name' : [...blocks.keys()].join(', ')}`,
      )
    return { name: `block-${number}`, tensor, width }
  })
}
