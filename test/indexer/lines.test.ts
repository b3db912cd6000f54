import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decompressed } from '../../indexer/readers/lines.ts'
import { OPTIONS, sourceOf } from './sources.ts'

test('a gzip bomb is refused once it passes 1 GiB and 200 times its size', async () => {
  const member = gzipSync(Buffer.alloc(16 * 2 ** 20))
  const bomb = Buffer.concat(Array.from({ length: 80 }, () => member))
  let bytes = 0
  await assert.rejects(
    async () => {
      for await (const piece of decompressed(sourceOf('data.jsonl.gz', bomb), OPTIONS.signal)) bytes += piece.length
    },
    { code: 'invalid-file', detail: /^data\.jsonl\.gz: grows to more than 1073741824 bytes when decompressed/ },
  )
  assert.ok(bytes <= 2 ** 30)
})
