/** Private keys of this installation: files of one seed each, in hexadecimal, that only their owner may read. */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, hexToBytes } from '../core/bytes.ts'
import { type Signer, signerFromSeed } from '../core/keys.ts'

const SEED_BYTES = 32

/**
 * The signer of the key file `<dir>/<name>.key`, which is made from `random` if it is not there. Several processes may do so at once and get
 * the same key. Throws when the file is damaged: a new key would make this installation somebody else.
 */
export async function openKeyFile(dir: string, name: string, random: (length: number) => Uint8Array): Promise<Signer> {
  return signerFromSeed(await openSeedFile(dir, name, random))
}

/** The 32-byte seed of a key file, as `openKeyFile` reads it: for keys of other algorithms. */
export async function openSeedFile(dir: string, name: string, random: (length: number) => Uint8Array): Promise<Uint8Array> {
  const path = join(dir, `${name}.key`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const text = (await readIfThere(path)) ?? (await makeKeyFile(path, random))
  if (!/^[0-9a-f]{64}\n$/.test(text)) throw new Error(`${path} is damaged: expected 64 hexadecimal digits; put its copy back`)
  return hexToBytes(text.trim())
}

/** Written whole beside its place and linked there, which fails where another process was faster. */
async function makeKeyFile(path: string, random: (length: number) => Uint8Array): Promise<string> {
  const temporary = `${path}.${randomUUID()}`
  {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(`${bytesToHex(random(SEED_BYTES))}\n`)
    await file.sync()
  }
  try {
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(temporary, { force: true })
  }
  return readFile(path, 'utf8')
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}
