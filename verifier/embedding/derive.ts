/** The graphs that Assay makes of a model's file: transforms by the names that manifests give them. */
import { dirname, join } from 'node:path/posix'
import type { Model } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { assertHarmless } from '../onnx/harmless.ts'
import { halfPrecision } from '../onnx/halfPrecision.ts'
import { readModel } from '../onnx/model.ts'
import { pooledGraph } from '../onnx/pooledGraph.ts'
import { tfjsToOnnx, tfjsWeightPaths } from '../onnx/tfjs.ts'

/** What a transform reads: the files of the model, by their paths in it. */
export type ReadModelFile = (path: string) => Promise<Uint8Array>

type Transform = (model: Model, read: ReadModelFile) => Promise<Uint8Array[]>

const TRANSFORMS: Record<string, Transform> = {
  'pooled/1': async (model, read) => pooled(model, await read(model.graph)),
  'half/1+pooled/1': async (model, read) => {
    const file = readModel(await read(model.graph))
    assertHarmless(file)
    return pooled(model, Buffer.concat(halfPrecision(file)))
  },
  'tfjs/1+pooled/1': async (model, read) => {
    if (model.role !== 'image-embedding') throw new Problem('unsupported-format', 'TensorFlow.js models are read as image models')
    const json = await read(model.graph)
    const weights = await Promise.all(tfjsWeightPaths(json).map((path) => read(join(dirname(model.graph), path))))
    return pooled(model, tfjsToOnnx(json, weights, model.image))
  },
}

/**
 * The graph that a transform makes of a model, in pieces; the same model gives the same bytes. Throws `invalid-file` or
 * `unsupported-format` for a file that is none or may not be run, and for a transform of another program.
 */
export async function deriveGraph(model: Model, transform: string, read: ReadModelFile): Promise<Uint8Array[]> {
  const apply = TRANSFORMS[transform]
  if (apply === undefined)
    throw new Problem('unsupported-format', `this program has no transform "${transform}"; it has ${Object.keys(TRANSFORMS).join(', ')}`)
  return apply(model, read)
}

function pooled(model: Model, bytes: Uint8Array): Uint8Array[] {
  const file = readModel(bytes)
  assertHarmless(file)
  return pooledGraph(file, {
    states: model.output,
    pooling: model.role === 'text-embedding' ? model.pooling : 'none',
    normalized: model.normalized,
    layers: model.role === 'text-embedding' ? model.layers : [],
  })
}
