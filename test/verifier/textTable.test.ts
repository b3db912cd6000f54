import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTextTable, openTexts } from '../../verifier/text/textTable.ts'

/** Any UTF-16 units at all, among them halves of pairs. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))
const latin = fc.array(fc.nat(0xff)).map((units) => String.fromCharCode(...units))

test('law: every text comes back from a table as it was, also in another thread’s copy of its parts', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyText, latin, fc.constant(null), fc.constant(''))), (texts) => {
      const table = createTextTable()
      for (const [number, text] of texts.entries()) assert.equal(table.push(text), number)
      const copy = openTexts(structuredClone(table.parts()))
      assert.equal(copy.count, texts.length)
      for (const [number, text] of texts.entries()) assert.deepEqual([table.at(number), copy.at(number)], [text, text])
    }),
  )
})

test('texts beyond a chunk, and one that is longer than a chunk, stand beside the others', () => {
  const texts = ['a'.repeat(10_000_000), 'ö'.repeat(10_000_000), '漢'.repeat(10_000_000), 'b']
  const table = createTextTable()
  for (const text of texts) table.push(text)
  assert.ok(texts.every((text, number) => table.at(number) === text))
  assert.equal(table.parts().chunks.length, 4)
})
