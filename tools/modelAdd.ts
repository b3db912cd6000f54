/**
 * `assay model add SOURCE`: makes a model known to this machine, out of a manifest's file or of a directory in the hub's layout, whose
 * files are hashed, derived and copied into the cache.
 */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { encodeDagJson } from '../core/documents/document.ts'
import { encodeModel, type ModelDescription, type ModelManifest, type ModelSource, TextModel } from '../core/models.ts'
import { Problem } from '../core/problem.ts'
import { describeTextModel, lockModel } from '../verifier/embedding/describeModel.ts'
import { ensureModel } from '../verifier/embedding/modelCache.ts'
import { addModel, readDescription, readManifest } from '../verifier/embedding/modelRegistry.ts'
import { parseWords, type Tool } from './tool.ts'

const OPTIONS = {
  description: { type: 'string' },
  name: { type: 'string' },
  license: { type: 'string' },
  graph: { type: 'string', default: 'onnx/model.onnx' },
  pooling: { type: 'string' },
  'max-tokens': { type: 'string' },
  prefix: { type: 'string' },
  layers: { type: 'string' },
  hub: { type: 'string' },
  revision: { type: 'string' },
  out: { type: 'string' },
} as const

export const modelAdd: Tool = {
  name: 'model add',
  async run({ settings, result, signal }, words) {
    const { values, positionals } = parseWords(words, OPTIONS)
    const source = positionals[0]
    if (source === undefined) throw new Problem('invalid-request', 'name a directory in the hub’s layout or a manifest’s file')
    const isManifest = source.endsWith('.json')
    const manifest = pinned(isManifest ? await readManifest(source) : await describe(source, values), values.revision)
    if (!isManifest) await ensureModel(manifest, { cacheDir: settings.modelCache, localDir: resolve(source), signal })
    const path = await addModel(manifest, settings.modelCache)
    if (values.out !== undefined) await writeFile(values.out, encodeDagJson(manifest))
    const { name } = manifest.model
    const cid = encodeModel(manifest.model).cid.toString()
    result({ name, cid, manifest: path }, `${name} is known as\n${cid}\nUse it with ASSAY_MODEL=${cid}`)
    return 0
  },
}

interface Words {
  description?: string | undefined
  name?: string | undefined
  license?: string | undefined
  graph: string
  pooling?: string | undefined
  'max-tokens'?: string | undefined
  prefix?: string | undefined
  layers?: string | undefined
  hub?: string | undefined
}

async function describe(directory: string, words: Words): Promise<ModelManifest> {
  const sources: ModelSource[] = [{ kind: 'blocks' }, ...(words.hub === undefined ? [] : [hubSource(words.hub)])]
  const description = words.description === undefined ? await describeText(directory, words) : await readDescription(words.description)
  return { model: await lockModel(directory, description), sources }
}

async function describeText(directory: string, words: Words): Promise<ModelDescription> {
  const { name, license, graph, prefix } = words
  if (name === undefined || license === undefined)
    throw new Problem('invalid-request', 'a directory does not say what it is: give --name NAME and --license SPDX, or --description FILE')
  const pooling = words.pooling === undefined ? undefined : TextModel.shape.pooling.safeParse(words.pooling)
  if (pooling?.success === false) throw new Problem('invalid-request', `--pooling is "${words.pooling}"; expected mean, cls or none`)
  return describeTextModel({
    directory,
    name,
    license,
    graph,
    prefix,
    pooling: pooling?.data,
    maxTokens: words['max-tokens'] === undefined ? undefined : integer('--max-tokens', words['max-tokens']),
    layers: words.layers
      ?.split(',')
      .filter((part) => part !== '')
      .map((part) => integer('--layers', part)),
  })
}

function integer(name: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Problem('invalid-request', `${name}: "${text}" is not a number`)
  return Number(text)
}

/** A branch where none is named: what is there is taken only if it has the digests of the manifest. */
const DEFAULT_REVISION = 'main'

function hubSource(text: string): ModelSource {
  const match = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]{1,64}))?$/.exec(text)
  if (match === null) throw new Problem('invalid-request', `--hub is "${text}"; expected OWNER/NAME or OWNER/NAME@REVISION`)
  return { kind: 'hub', repository: match[1]!, revision: match[2] ?? DEFAULT_REVISION }
}

/** The manifest with its hub's repository at a commit. */
function pinned(manifest: ModelManifest, revision: string | undefined): ModelManifest {
  if (revision === undefined) return manifest
  if (!/^[0-9a-f]{40}$/.test(revision))
    throw new Problem('invalid-request', `--revision is "${revision}"; expected a commit, 40 hexadecimal digits`)
  const hubs = manifest.sources.filter(({ kind }) => kind === 'hub').length
  if (hubs !== 1) throw new Problem('invalid-request', `--revision is of one hub repository, and there are ${hubs}`)
  return { ...manifest, sources: manifest.sources.map((source) => (source.kind === 'hub' ? { ...source, revision } : source)) }
}
