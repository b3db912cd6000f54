/**
 * Vectors of texts on disk, so that a second run of the bench embeds nothing anew. A key is the SHA-256 of the text; the folder stands for
 * what made the vectors. Each batch is a file of its own, written beside its place and renamed, so that several runs may write at once:
 * header (dimensions, count: uint32 little-endian), count × 32 bytes of keys, count × dimensions float32 little-endian.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'

const HEADER_BYTES = 8
const KEY_BYTES = 32

export interface VectorCache {
  /** The vector of a key in hex, `dimensions` long; undefined where it is not kept. */
  get(key: string): Float32Array | undefined
  /** Keeps vectors, in memory and on disk. */
  add(keys: readonly string[], vectors: Float32Array): Promise<void>
}

/** Opens a cache of vectors of `dimensions` numbers; files of another shape, or cut off, are passed over. */
export async function openVectorCache(dir: string, dimensions: number): Promise<VectorCache> {
  if (endianness() !== 'LE') throw new TypeError('cached vectors are little-endian')
  await mkdir(dir, { recursive: true })
  const vectorOf = new Map<string, Float32Array>()
  const keep = (keys: readonly string[], vectors: Float32Array) => {
    for (const [i, key] of keys.entries()) vectorOf.set(key, vectors.subarray(i * dimensions, (i + 1) * dimensions))
  }
  for (const name of (await readdir(dir)).filter((entry) => entry.endsWith('.vectors')).toSorted()) {
    const bytes = await readFile(join(dir, name))
    if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== dimensions) continue
    const count = bytes.readUInt32LE(4)
    const vectorsAt = HEADER_BYTES + count * KEY_BYTES
    if (bytes.length !== vectorsAt + count * dimensions * 4) continue
    const keys = Array.from({ length: count }, (_, i) => {
      const start = HEADER_BYTES + i * KEY_BYTES
      return bytes.toString('hex', start, start + KEY_BYTES)
    })
    keep(keys, new Float32Array(new Uint8Array(bytes.subarray(vectorsAt)).buffer))
  }
  return {
    get: (key) => vectorOf.get(key),
    async add(keys, vectors) {
      if (keys.length === 0) return
      keep(keys, vectors)
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeUInt32LE(dimensions, 0)
      header.writeUInt32LE(keys.length, 4)
      const path = join(dir, randomUUID())
      const file = await open(`${path}.partial`, 'wx')
      try {
        await file.writeFile(header)
        await file.writeFile(Buffer.from(keys.join(''), 'hex'))
        await file.writeFile(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength))
      } finally {
        await file.close()
      }
      await rename(`${path}.partial`, `${path}.vectors`)
    },
  }
}
