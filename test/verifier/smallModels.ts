/** Text encoders of a few kilobytes that ONNX Runtime runs: a table of states, one for each token. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ModelFile, ModelManifest, ModelSource, TextModel } from '../../core/models.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { deriveGraph } from '../../verifier/embedding/derive.ts'
import { FLOAT, INT64 } from '../../verifier/onnx/model.ts'
import { encodeFloats, encodeModel, type NewGraph } from '../../verifier/onnx/write.ts'

export const SMALL_WIDTH = 4
export const SMALL_VOCABULARY = 8

/** Token → state, so that everything that is computed of it can be computed by hand. */
export function smallState(token: number, d: number): number {
  return Math.sin(token * 7 + d * 3 + 1)
}

export function smallGraph(): NewGraph & { initializers: Uint8Array[] } {
  const table = Float32Array.from({ length: SMALL_VOCABULARY * SMALL_WIDTH }, (_, i) =>
    smallState(Math.floor(i / SMALL_WIDTH), i % SMALL_WIDTH),
  )
  return {
    name: 'small',
    nodes: [{ operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['states'] }],
    initializers: [encodeFloats('table', [SMALL_VOCABULARY, SMALL_WIDTH], table)],
    inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, type: INT64, shape: ['rows', 'tokens'] })),
    outputs: [{ name: 'states', type: FLOAT, shape: ['rows', 'tokens', SMALL_WIDTH] }],
  }
}

export type Files = Record<string, string | Uint8Array>

export const SMALL_FILES: Files = {
  'onnx/model.onnx': encodeModel(smallGraph()),
  'tokenizer.json': '{"a":1}',
  'tokenizer_config.json': '{}',
}

export function modelFile(path: string, content: string | Uint8Array): ModelFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const builder = createFileBuilder()
  builder.push(bytes)
  return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), cid: builder.finish().cid }
}

/** A manifest of such a model, with the digest of its derived graph. */
export async function smallManifest(
  files: Files,
  sources: ModelSource[],
  changes: Partial<TextModel> = {},
): Promise<ModelManifest<TextModel>> {
  const model: TextModel = {
    kind: 'model',
    version: 1,
    role: 'text-embedding',
    name: 'small',
    license: 'CC0-1.0',
    files: Object.entries(files).map(([path, content]) => modelFile(path, content)),
    graph: 'onnx/model.onnx',
    format: 'onnx',
    derived: [{ mode: 'fp32', transform: 'pooled/1', sha256: '0'.repeat(64) }],
    dimensions: SMALL_WIDTH,
    normalized: true,
    output: 'states',
    pooling: 'mean',
    tokenizer: { vocabulary: 'tokenizer.json', configuration: 'tokenizer_config.json' },
    maxTokens: 16,
    prefix: '',
    layers: [{ name: 'table', tensor: 'states', width: SMALL_WIDTH }],
    ...changes,
  }
  const hash = createHash('sha256')
  for (const piece of await deriveGraph(model, 'pooled/1', async (path) => Buffer.from(files[path]!))) hash.update(piece)
  model.derived = [{ mode: 'fp32', transform: 'pooled/1', sha256: hash.digest('hex') }]
  return { model, sources }
}

/** What the files of a model that stands on this machine hold. */
export function contentOf(model: { pathOf(path: string): string }, files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => {
      const bytes = readFileSync(model.pathOf(path))
      return [path, typeof content === 'string' ? bytes.toString() : bytes]
    }),
  )
}
