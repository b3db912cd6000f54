/**
 * Models on this machine: a directory for each model, named by the digest of its list of files, holding exactly those files. Files are
 * hashed on every opening, written beside their place and renamed, so that several processes may look for the same model at once.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Problem, messageOf } from '../../core/problem.ts'
import type { ModelManifest, ModelSource } from './models.ts'
import { npmTarballFiles } from './npmTarball.ts'

/** Where models are kept unless the operator says otherwise. */
export function defaultModelCache(): string {
  return join(homedir(), '.cache', 'assay', 'models')
}

export interface EnsureModelOptions {
  /** Holds one directory a model. */
  cacheDir: string
  /** Tried before the manifest's own sources. */
  localDir?: string | undefined
  /** Address of a model hub that answers `/{repository}/resolve/{revision}/{path}`; hub sources are passed over without it. */
  hubUrl?: string | undefined
  signal?: AbortSignal | undefined
  /** Bytes fetched so far, of `totalBytes` (0 where the source does not say). */
  onProgress?: ((receivedBytes: number, totalBytes: number) => void) | undefined
}

type ModelFile = ModelManifest['reference']['files'][number]

/**
 * The directory that holds the model's files, each with the size and SHA-256 of the manifest; fetched if need be. Throws `unavailable`
 * with a reason for each source where none of them gives those bytes.
 */
export async function ensureModel(manifest: ModelManifest, options: EnsureModelOptions): Promise<string> {
  const { files, name } = manifest.reference
  const directory = join(options.cacheDir, modelDigest(manifest))
  if (await holdsFiles(directory, files)) return directory
  await rm(directory, { recursive: true, force: true })

  const local: ModelSource[] = options.localDir === undefined ? [] : [{ kind: 'directory', path: options.localDir }]
  const reasons: string[] = []
  for (const source of [...local, ...manifest.sources]) {
    const partial = `${directory}.${randomUUID()}`
    try {
      await copyFrom(source, files, partial, options)
      await moveIntoPlace(partial, directory, files)
      return directory
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof Problem)) throw error
      reasons.push(`${describe(source)}: ${messageOf(error)}`)
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
  }
  throw new Problem('unavailable', `the model ${name} cannot be had; put its files into a local directory. Tried ${reasons.join('; ')}`)
}

/** SHA-256, in hex, of the model's files as `sha256sum` would list them. */
export function modelDigest(manifest: ModelManifest): string {
  const lines = manifest.reference.files.map((file) => `${file.sha256}  ${file.path}\n`)
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** Another process may have come first; what it put there is as good as ours if it has the right bytes. */
async function moveIntoPlace(partial: string, directory: string, files: ModelFile[]): Promise<void> {
  try {
    await rename(partial, directory)
  } catch (error) {
    if (!(await holdsFiles(directory, files))) throw error
  }
}

async function copyFrom(source: ModelSource, files: ModelFile[], target: string, options: EnsureModelOptions): Promise<void> {
  switch (source.kind) {
    case 'directory':
      return copyEach(files, target, (file) => readLocal(join(source.path, file.path)))
    case 'hub': {
      const { hubUrl, signal } = options
      if (hubUrl === undefined) throw new Problem('unavailable', 'no hub is configured')
      return copyEach(files, target, (file) => download(`${hubUrl}/${source.repository}/resolve/${source.revision}/${file.path}`, signal))
    }
    case 'npm':
      return copyFromNpm(source, files, target, options)
  }
}

async function copyEach(files: ModelFile[], target: string, read: (file: ModelFile) => AsyncIterable<Uint8Array>): Promise<void> {
  for (const file of files) {
    try {
      await writeChecked(join(target, file.path), read(file), file)
    } catch (cause) {
      throw cause instanceof Problem ? cause : new Problem('unavailable', `${file.path}: ${messageOf(cause)}`, { cause })
    }
  }
}

async function copyFromNpm(
  source: ModelSource & { kind: 'npm' },
  files: ModelFile[],
  target: string,
  options: EnsureModelOptions,
): Promise<void> {
  const wanted = new Map(files.map((file) => [`${source.folder}/${file.path}`, file]))
  for await (const { path, content } of npmTarballFiles(source, options)) {
    const file = wanted.get(path)
    if (file === undefined) continue
    await writeChecked(join(target, file.path), content, file)
    wanted.delete(path)
    if (wanted.size === 0) return
  }
  throw new Problem('unavailable', `the package has no ${[...wanted.keys()].join(', ')}`)
}

/** Opens the file only when it is read, so that its errors have somebody to go to. */
async function* readLocal(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 1024 * 1024 })
}

async function* download(url: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const response = await fetch(url, signal === undefined ? {} : { signal })
  if (!response.ok || response.body === null) throw new Problem('unavailable', `the hub answers ${response.status}`)
  yield* response.body
}

/** Writes a foreign file of at most the expected size. Throws `untrusted` unless it has the expected digest. */
async function writeChecked(path: string, content: AsyncIterable<Uint8Array>, expected: ModelFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const hash = createHash('sha256')
  let sizeBytes = 0
  await using file = await open(path, 'wx')
  for await (const chunk of content) {
    sizeBytes += chunk.length
    if (sizeBytes > expected.sizeBytes) break
    hash.update(chunk)
    await file.writeFile(chunk)
  }
  if (sizeBytes !== expected.sizeBytes || hash.digest('hex') !== expected.sha256)
    throw new Problem('untrusted', `${expected.path} is not the file of ${expected.sizeBytes} bytes with SHA-256 ${expected.sha256}`)
  await file.sync()
}

async function holdsFiles(directory: string, files: ModelFile[]): Promise<boolean> {
  for (const file of files) {
    const path = join(directory, file.path)
    const status = await stat(path).catch(() => undefined)
    if (status?.size !== file.sizeBytes) return false
    const hash = createHash('sha256')
    for await (const chunk of readLocal(path)) hash.update(chunk)
    if (hash.digest('hex') !== file.sha256) return false
  }
  return true
}

function describe(source: ModelSource): string {
  switch (source.kind) {
    case 'directory':
      return `directory ${source.path}`
    case 'npm':
      return `npm package ${source.package}@${source.version}`
    case 'hub':
      return `hub repository ${source.repository}@${source.revision}`
  }
}
