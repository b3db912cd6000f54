import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { findDigest } from '../../api/digestTable.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'

let blocks: Blocks
before(async () => (blocks = await openBlocks()))
after(() => blocks[Symbol.asyncDispose]())

/** The part of an index that a lookup reads, over a table of these digests. */
async function tableOf(digests: Buffer[]): Promise<SampleIndex> {
  const records = digests.map((digest, number) => {
    const record = Buffer.alloc(40)
    digest.copy(record)
    record.writeBigUInt64BE(BigInt(number), 32)
    return record
  })
  const { cid } = await blocks.importBytes(Buffer.concat(records.sort((a, b) => Buffer.compare(a, b))))
  return { digestTable: cid, sampleCount: digests.length } as SampleIndex
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()
const endOf = (byte: number) => Buffer.alloc(32, byte)

test('law: every digest of a table is found at its numbers, and no other digest is', async () => {
  for (const size of [1, 2, 1023, 1024, 1025, 20_000]) {
    const digests = Array.from({ length: size }, (_, n) => digestOf(`row ${n}`))
    const table = await tableOf(digests)
    for (const n of [0, 1, size >> 1, size - 1].filter((number) => number < size))
      assert.deepEqual(await findDigest(blocks, table, digests[n]!, 10), [n])
    for (const absent of [digestOf('absent'), endOf(0), endOf(255)]) assert.deepEqual(await findDigest(blocks, table, absent, 10), [])
  }
})

test('copies are all found across windows, in order, up to the limit', async () => {
  const digests = Array.from({ length: 6000 }, (_, n) => (n % 2 === 0 ? digestOf('copy') : digestOf(`row ${n}`)))
  const table = await tableOf(digests)
  const numbers = await findDigest(blocks, table, digestOf('copy'), 5000)
  assert.deepEqual(
    numbers,
    Array.from({ length: 3000 }, (_, i) => i * 2),
  )
  assert.equal((await findDigest(blocks, table, digestOf('copy'), 7)).length, 7)
})

test('digests that crowd at one end are found all the same', async () => {
  const digests = Array.from({ length: 5000 }, (_, n) => Buffer.concat([Buffer.alloc(28, 255), Buffer.from([0, 0, n >> 8, n & 255])]))
  const table = await tableOf(digests)
  for (const n of [0, 2500, 4999]) assert.deepEqual(await findDigest(blocks, table, digests[n]!, 2), [n])
  assert.deepEqual(await findDigest(blocks, table, endOf(1), 2), [])
})
