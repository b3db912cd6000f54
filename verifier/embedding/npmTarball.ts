/**
 * Files out of a package of the npm registry, streamed: the tarball is never kept. The registry is the one that the machine's npm is
 * configured for, so mirrors and private registries work. Nothing that is read is trusted: callers check digests.
 */
import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { Problem, messageOf } from '../../core/problem.ts'

export interface NpmPackage {
  package: string
  version: string
}

export interface TarballFile {
  /** Path inside the package, without the leading `package/`. Attacker-controlled: compare it, never open it. */
  path: string
  sizeBytes: number
  /** Read before the next file is asked for, or not at all. */
  content: AsyncIterable<Uint8Array>
}

export interface TarballOptions {
  signal?: AbortSignal | undefined
  /** Compressed bytes so far, of `totalBytes` (0 where the registry does not say). */
  onProgress?: ((receivedBytes: number, totalBytes: number) => void) | undefined
}

/**
 * The regular files of a package's tarball, in its order. Leaving the iteration early ends the download. Throws `unavailable` where
 * npm or the registry does not answer, `invalid-file` where the tarball is broken.
 */
export async function* npmTarballFiles(source: NpmPackage, options: TarballOptions = {}): AsyncGenerator<TarballFile> {
  const done = new AbortController()
  const signal = options.signal === undefined ? done.signal : AbortSignal.any([options.signal, done.signal])
  const body = await openTarball(source, signal, options.onProgress)
  const archive = extract()
  // Its failure also ends the iteration of `archive`, which reports it.
  const unpacking = pipeline(body, createGunzip(), archive).catch(() => undefined)
  try {
    for await (const entry of archive) {
      // An entry is a stream of Buffers, which its types leave open.
      if (entry.header.type === 'file' || entry.header.type === 'contiguous-file')
        yield { path: entry.header.name.replace(/^[^/]*\//, ''), sizeBytes: entry.header.size, content: entry as AsyncIterable<Uint8Array> }
      entry.resume()
    }
  } catch (cause) {
    options.signal?.throwIfAborted()
    throw new Problem('invalid-file', `the tarball of ${nameOf(source)} cannot be read: ${messageOf(cause)}`, { cause })
  } finally {
    done.abort()
    archive.destroy()
    await unpacking
  }
}

async function openTarball(source: NpmPackage, signal: AbortSignal, onProgress: TarballOptions['onProgress']): Promise<Readable> {
  const url = await tarballUrl(source, signal)
  let response: Response
  try {
    response = await fetch(url, { signal })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new Problem('unavailable', `the npm registry does not answer for ${nameOf(source)}: ${messageOf(cause)}`, { cause })
  }
  if (!response.ok || response.body === null)
    throw new Problem('unavailable', `the npm registry answers ${response.status} for the tarball of ${nameOf(source)}`)
  const totalBytes = Number(response.headers.get('content-length') ?? 0)
  let receivedBytes = 0
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        receivedBytes += chunk.length
        onProgress?.(receivedBytes, totalBytes)
        controller.enqueue(chunk)
      },
    }),
  )
  return Readable.from(counted)
}

/** Asks npm, which knows the configured registry. */
async function tarballUrl(source: NpmPackage, signal: AbortSignal): Promise<string> {
  let stdout: string
  try {
    ;({ stdout } = await promisify(execFile)('npm', ['view', nameOf(source), 'dist.tarball'], { signal, timeout: 60_000 }))
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new Problem('unavailable', `"npm view ${nameOf(source)}" fails; is npm installed and its registry within reach?`, { cause })
  }
  const url = stdout.trim()
  if (!/^https?:\/\/\S+$/.test(url)) throw new Problem('unavailable', `the npm registry has no tarball of ${nameOf(source)}`)
  return url
}

function nameOf(source: NpmPackage): string {
  return `${source.package}@${source.version}`
}
