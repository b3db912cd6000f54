/**
 * The user's own directory (`~/.config/assay` or ASSAY_HOME):
 *
 *     key                       the Ed25519 seed, 64 hexadecimal digits, mode 0600
 *     servers/HOST/token        bearer token, mode 0600
 *     servers/HOST/trust.json   whom to believe of this registry (core/audit/trust.ts)
 *     servers/HOST/checkpoint   the newest checkpoint seen of its log
 *
 * Every file is written whole and renamed into place, so that a crash leaves the old or the new one.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hexToBytes } from '../core/bytes.ts'
import { type Signer, signerFromSeed } from '../core/keys.ts'
import { Problem } from '../core/problem.ts'

export interface Home {
  readonly directory: string
  /** The user's signing key. Throws `not-found` before `assay keygen`, `untrusted` when others could read the file. */
  signer(): Promise<Signer>
  hasKey(): Promise<boolean>
  /** Keeps a seed of 32 bytes. Throws `conflict` when there is a key already. */
  saveKey(seed: Uint8Array): Promise<void>
  /** What is kept for one registry. */
  read(server: URL, name: ServerFile): Promise<Buffer | null>
  write(server: URL, name: ServerFile, content: Uint8Array | string): Promise<void>
  remove(server: URL, name: ServerFile): Promise<void>
}

export type ServerFile = 'token' | 'trust.json' | 'checkpoint'

export function openHome(directory: string): Home {
  const keyPath = join(directory, 'key')
  const pathOf = (server: URL, name: ServerFile) => join(directory, 'servers', encodeURIComponent(server.host), name)
  return {
    directory,
    async signer() {
      const text = await readIfThere(keyPath)
      if (text === null) throw new Problem('not-found', `there is no key in ${directory}; make one with "assay keygen"`)
      const { mode } = await stat(keyPath)
      if ((mode & 0o077) !== 0) throw new Problem('untrusted', `others can read ${keyPath}; run "chmod 600 ${keyPath}", or make a new key`)
      const seed = text.toString('utf8').trim()
      if (!/^[0-9a-f]{64}$/.test(seed)) throw new Problem('untrusted', `${keyPath} is not a key: expected 64 hexadecimal digits`)
      return signerFromSeed(hexToBytes(seed))
    },
    async hasKey() {
      return (await readIfThere(keyPath)) !== null
    },
    async saveKey(seed) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      try {
        await writeFile(keyPath, `${Buffer.from(seed).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
      } catch (cause) {
        if (!isCode(cause, 'EEXIST')) throw cause
        throw new Problem('conflict', `${keyPath} holds a key already; move it away first if you mean to replace it`, { cause })
      }
    },
    read: (server, name) => readIfThere(pathOf(server, name)),
    async write(server, name, content) {
      const path = pathOf(server, name)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const temporary = `${path}.${randomUUID()}`
      await writeFile(temporary, content, { mode: 0o600 })
      await rename(temporary, path)
    },
    remove: (server, name) => rm(pathOf(server, name), { force: true }),
  }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Whether a system error has this code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
