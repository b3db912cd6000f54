import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPTIONS, readFile, sourceOf } from './sources.ts'

test('a sample of plain text is a line that is not blank', async () => {
  const { schema, rows } = await readFile(sourceOf('data.txt', 'one\r\n\n  \ntwo \n'))
  assert.deepEqual(schema, [{ name: 'text', type: { type: 'utf8' } }])
  assert.deepEqual(rows, [{ text: 'one' }, { text: 'two ' }])
})

test('or a paragraph, which blank lines end, wherever pieces of the file end', async () => {
  for (const pieceBytes of [1, 2, 3, 1000]) {
    const file = sourceOf('data.txt', '\n\na\nb\r\n \nc\n\n\nd', pieceBytes)
    const { rows } = await readFile(file, { ...OPTIONS, textUnit: 'paragraph' })
    assert.deepEqual(rows, [{ text: 'a\nb' }, { text: 'c' }, { text: 'd' }])
  }
})

test('text that is not UTF-8 is refused with its row', async () => {
  await assert.rejects(readFile(sourceOf('data.txt', Buffer.from([0x61, 0x0a, 0xc3, 0x28]))), {
    code: 'invalid-file',
    detail: /^data\.txt row 2: not UTF-8/,
  })
})
