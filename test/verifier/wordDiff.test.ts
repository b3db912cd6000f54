import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { wordDiff } from '../../verifier/text/wordDiff.ts'

describe('what differs between two texts, word by word', () => {
  it('is shown with the words around it', () => {
    const text = 'one two three four five six seven eight nine ten eleven twelve'
    assert.equal(wordDiff(text, text.replace('six', 'SIX')), '… three four five [-six-] {+SIX+} seven eight nine …')
    assert.equal(wordDiff(text, text.replace('one ', '')), '[-one-] two three four …')
    assert.equal(wordDiff(text, `${text} more words`), '… ten eleven twelve {+more words+}')
    assert.equal(wordDiff('a', ''), '[-a-]')
    assert.equal(wordDiff('', 'a b'), '{+a b+}')
  })

  it('is nothing where only white space differs', () => {
    assert.equal(wordDiff(' a  b\n', 'a b'), null)
    assert.equal(wordDiff('', ' '), null)
  })

  it('is no list where it is nearly everything, nor ever long', () => {
    const words = (prefix: string) => Array.from({ length: 5000 }, (_, i) => prefix + i).join(' ')
    assert.equal(wordDiff(words('a'), words('b')), 'more than 200 words differ')
    assert.ok(wordDiff('x'.repeat(1e6), '\ud800'.repeat(1e6))!.length <= 480)
  })

  it('law: taking what is deleted gives the one text, taking what is inserted gives the other, and no shorter script exists', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 })
    fc.assert(
      fc.property(words, words, (a, b) => {
        const diff = wordDiff(a.join(' '), b.join(' '))
        if (diff === null) return assert.deepEqual(a, b)
        const side = (taken: RegExp, left: RegExp) => diff.replace(left, '').replace(taken, '$1').split(/\s+/).filter(Boolean)
        const [deleted, inserted] = [/\[-(.*?)-\]/g, /\{\+(.*?)\+\}/g]
        // What was left out is in both.
        if (!diff.includes('…')) {
          assert.deepEqual(side(deleted, inserted), a)
          assert.deepEqual(side(inserted, deleted), b)
        }
        const changes = [...diff.matchAll(/\[-(.*?)-\]|\{\+(.*?)\+\}/g)].flatMap(([, gone, come]) => (gone ?? come)!.split(' ')).length
        assert.equal(changes, a.length + b.length - 2 * longestCommon(a, b))
      }),
    )
  })
})

/** Length of the longest common subsequence, by the table. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0))
  for (const [i, x] of a.entries())
    for (const [j, y] of b.entries()) table[i + 1]![j + 1] = x === y ? table[i]![j]! + 1 : Math.max(table[i]![j + 1]!, table[i + 1]![j]!)
  return table[a.length]![b.length]!
}
