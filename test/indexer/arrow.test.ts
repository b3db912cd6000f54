import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import type { Schema } from '../../core/samples/schema.ts'
import { arrowBytes, readFile, sourceOf } from './sources.ts'

const SCHEMA: Schema = [
  { name: 't', type: { type: 'utf8' } },
  { name: 'n', type: { type: 'int64' } },
  { name: 'l', type: { type: 'list', items: { type: 'float64' } } },
]
const BLOCKS = [0, 1, 2].map((block) =>
  Array.from({ length: 100 }, (_, i) => ({ t: i % 7 === 0 ? null : `row ${block}.${i}`, n: i, l: [i / 2, null] })),
)

for (const format of ['file', 'stream'] as const) {
  test(`an Arrow IPC ${format} is read batch by batch`, async () => {
    const { schema, rows } = await readFile(sourceOf('data.arrow', arrowBytes(format, SCHEMA, BLOCKS), 1000))
    assert.deepEqual(schema, SCHEMA)
    assert.deepEqual(rows, BLOCKS.flat())
  })

  test(`an Arrow IPC ${format} with dictionaries is read as the type of their values`, async () => {
    const table = tableFromArrays({ words: ['a', 'b', 'a', 'c'] })
    const { schema, rows } = await readFile(sourceOf('data.arrow', tableToIPC(table, format)))
    assert.deepEqual(schema, [{ name: 'words', type: { type: 'utf8' } }])
    assert.deepEqual(rows, [{ words: 'a' }, { words: 'b' }, { words: 'a' }, { words: 'c' }])
  })

  test(`an Arrow IPC ${format} cut anywhere is refused as truncated or damaged, never read in part`, async () => {
    const bytes = arrowBytes(format, SCHEMA, BLOCKS)
    for (const length of [0, 4, 7, 20, 200, bytes.length >> 1, bytes.length - 12, bytes.length - 9])
      await assert.rejects(
        readFile(sourceOf('data.arrow', bytes.subarray(0, length))),
        { code: 'invalid-file', detail: /^data\.arrow.*(truncated|damaged)/s },
        `${length} of ${bytes.length} bytes`,
      )
  })

  test(`law: an Arrow IPC ${format} with damaged bytes is read, or refused with a problem; it never brings a fault`, async () => {
    const bytes = arrowBytes(format, SCHEMA, [BLOCKS[0]!])
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = bytes.slice()
        damaged[at]! ^= flip
        try {
          await readFile(sourceOf('data.arrow', damaged))
        } catch (error) {
          assert.equal((error as Error).name, 'Problem', String((error as Error).stack))
        }
      }),
      { numRuns: 200 },
    )
  })
}
