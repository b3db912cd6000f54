/**
 * Models on this machine. Files are kept by their SHA-256, each once however many models share it, and so are the graphs derived from
 * them; both are hashed on every opening, written beside their place and renamed, so that several processes may look for the same
 * model at once.
 *
 *     files/SHA256     files of models, as they were had
 *     graphs/SHA256    graphs derived from them (derive.ts)
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CID } from '../../core/cid.ts'
import type { ModelMode } from '../../core/documents/recipe.ts'
import { type DerivedGraph, derivedGraph, type Model, type ModelFile, type ModelManifest, type ModelSource } from '../../core/models.ts'
import { Problem, messageOf } from '../../core/problem.ts'
import { deriveGraph } from './derive.ts'
import { copyFromSource, describeSource } from './modelSources.ts'

/** Where models are kept unless the operator says otherwise. */
export function defaultModelCache(): string {
  return join(homedir(), '.cache', 'assay', 'models')
}

export interface EnsureModelOptions {
  cacheDir: string
  /** The first that the model has, by default. */
  mode?: ModelMode | undefined
  /** A directory in the hub's layout, tried before the manifest's own sources. */
  localDir?: string | undefined
  /** Verified blocks by CID, for `blocks` sources; they are passed over without it. */
  getBlock?: ((cid: CID, signal?: AbortSignal) => Promise<Uint8Array>) | undefined
  /** Address of a model hub that answers `/{repository}/resolve/{revision}/{path}`; hub sources are passed over without it. */
  hubUrl?: string | undefined
  signal?: AbortSignal | undefined
  /** Bytes fetched so far, of `totalBytes` (0 where the source does not say). */
  onProgress?: ((receivedBytes: number, totalBytes: number) => void) | undefined
}

/** A model whose files lie on this machine, checked. */
export interface LocalModel<M extends Model = Model> {
  model: M
  mode: ModelMode
  /** Path of the derived graph. */
  graph: string
  /** Path on this machine of one of the model's files. */
  pathOf: (file: string) => string
}

/**
 * The model on this machine, its files with the sizes and digests of the manifest, its graph derived; fetched if need be. Throws
 * `unavailable` with a reason for each source where none of them gives those bytes, `untrusted` where the derived graph is not the one
 * that the manifest promises.
 */
export async function ensureModel<M extends Model>(manifest: ModelManifest<M>, options: EnsureModelOptions): Promise<LocalModel<M>> {
  const { model } = manifest
  const { cacheDir } = options
  const derived = options.mode === undefined ? model.derived[0]! : derivedGraph(model, options.mode)
  await ensureFiles(manifest, options)
  const pathOf = (path: string) => filePath(cacheDir, fileOf(model, path))
  return { model, mode: derived.mode, graph: await ensureGraph(model, derived, cacheDir, pathOf), pathOf }
}

/** Which of a model's files and graphs are in the cache, by a look at their sizes alone. */
export async function cachedParts(model: Model, cacheDir: string): Promise<{ files: number; graphs: ModelMode[] }> {
  const sizes = await Promise.all(model.files.map(async (file) => (await stat(filePath(cacheDir, file)).catch(() => null))?.size))
  const graphs = await Promise.all(model.derived.map(async ({ sha256 }) => stat(join(cacheDir, 'graphs', sha256)).catch(() => null)))
  return {
    files: sizes.filter((size, i) => size === model.files[i]!.sizeBytes).length,
    graphs: model.derived.filter((_, i) => graphs[i] !== null).map(({ mode }) => mode),
  }
}

async function ensureFiles({ model, sources }: ModelManifest, options: EnsureModelOptions): Promise<void> {
  const missing: ModelFile[] = []
  for (const file of model.files) if (!(await hasBytes(filePath(options.cacheDir, file), file))) missing.push(file)
  if (missing.length === 0) return

  const local: ModelSource[] = options.localDir === undefined ? [] : [{ kind: 'directory', path: options.localDir }]
  const reasons: string[] = []
  for (const source of [...local, ...sources]) {
    try {
      await copyFromSource(source, missing, options, (file, content) => keep(filePath(options.cacheDir, file), content, file))
      return
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof Problem)) throw error
      reasons.push(`${describeSource(source)}: ${messageOf(error)}`)
    }
  }
  const tried = reasons.length === 0 ? 'Its manifest names no source' : `Tried ${reasons.join('; ')}`
  throw new Problem('unavailable', `the model ${model.name} cannot be had; put its files into a local directory. ${tried}`)
}

async function ensureGraph(
  model: Model,
  { transform, sha256 }: DerivedGraph,
  cacheDir: string,
  pathOf: (path: string) => string,
): Promise<string> {
  const path = join(cacheDir, 'graphs', sha256)
  if (await hasBytes(path, { sha256 })) return path
  const pieces = await deriveGraph(model, transform, (file) => readFile(pathOf(file)))
  await keep(path, pieces, { path: `the graph that ${transform} makes of ${model.graph}`, sha256 })
  return path
}

function fileOf(model: Model, path: string): ModelFile {
  const file = model.files.find((one) => one.path === path)
  if (file === undefined) throw new Problem('not-found', `the model ${model.name} has no file ${path}`)
  return file
}

function filePath(cacheDir: string, { sha256 }: ModelFile): string {
  return join(cacheDir, 'files', sha256)
}

/**
 * Writes foreign bytes, of at most the expected size, to their place in the cache. Throws `untrusted`, leaving nothing, unless they have
 * the expected digest. Another process may do the same at once: what it renames over ours has the same bytes.
 */
async function keep(
  place: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: { path: string; sizeBytes?: number; sha256: string },
): Promise<void> {
  const partial = `${place}.${randomUUID()}`
  await mkdir(dirname(place), { recursive: true })
  try {
    await writeChecked(partial, content, expected)
    await rename(partial, place)
  } finally {
    await rm(partial, { force: true })
  }
}

async function writeChecked(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: { path: string; sizeBytes?: number; sha256: string },
): Promise<void> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  await using file = await open(path, 'wx')
  for await (const chunk of content) {
    sizeBytes += chunk.length
    if (expected.sizeBytes !== undefined && sizeBytes > expected.sizeBytes) break
    hash.update(chunk)
    await file.writeFile(chunk)
  }
  const rightSize = expected.sizeBytes === undefined || sizeBytes === expected.sizeBytes
  if (!rightSize || hash.digest('hex') !== expected.sha256) {
    const size = expected.sizeBytes === undefined ? '' : ` of ${expected.sizeBytes} bytes`
    throw new Problem('untrusted', `${expected.path} is not the file${size} with SHA-256 ${expected.sha256}`)
  }
  await file.sync()
}

async function hasBytes(path: string, expected: { sizeBytes?: number; sha256: string }): Promise<boolean> {
  const status = await stat(path).catch(() => undefined)
  if (status === undefined || (expected.sizeBytes !== undefined && status.size !== expected.sizeBytes)) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
  return hash.digest('hex') === expected.sha256
}
