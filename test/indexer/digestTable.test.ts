import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDigestTable } from '../../indexer/digestTable.ts'

async function tableOf(digests: readonly Uint8Array[], runRecords: number, scratchDir: string): Promise<Buffer> {
  await using table = createDigestTable(scratchDir, runRecords)
  for (const digest of digests) {
    table.push(digest)
    await table.ready()
  }
  const pieces: Uint8Array[] = []
  for await (const piece of table.records()) pieces.push(piece)
  return Buffer.concat(pieces)
}

function expectedTable(digests: readonly Uint8Array[]): Buffer {
  const records = digests.map((digest, i) => {
    const number = Buffer.alloc(8)
    number.writeBigUInt64BE(BigInt(i))
    return Buffer.concat([digest, number])
  })
  return Buffer.concat(records.sort((a, b) => a.compare(b)))
}

test('law: the table is all records in order of digest and number, in one run or merged from many', async (t) => {
  const scratchDir = await mkdtemp(join(tmpdir(), 'assay-test-'))
  t.after(() => rm(scratchDir, { recursive: true }))
  // Few distinct values, so that digests repeat, and some that differ only in their last byte.
  const digest = fc.nat({ max: 40 }).map((value) => {
    const bytes = createHash('sha256')
      .update(String(value >> 1))
      .digest()
    bytes[31]! ^= value & 1
    return bytes
  })
  await fc.assert(
    fc.asyncProperty(fc.array(digest, { maxLength: 300 }), fc.integer({ min: 1, max: 400 }), async (digests, runRecords) => {
      assert.deepEqual(await tableOf(digests, runRecords, scratchDir), expectedTable(digests))
    }),
    { numRuns: 60 },
  )
  assert.deepEqual(await readdir(scratchDir), [], 'temporary files are removed')
})
