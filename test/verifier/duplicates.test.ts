import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { exactDuplicate } from '../../verifier/detectors/exactDuplicate.ts'
import { jaccard, nearDuplicate, shingles } from '../../verifier/detectors/nearDuplicate.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'
import { reviews } from './sentences.ts'

describe('exact duplicates', () => {
  it('are texts of the same canonical form; the first of them is kept', async () => {
    const text = 'A sentence that is long enough to be compared.'
    const rows = [{ text }, { text: 'another' }, { text: text.replace(' ', '\u00a0 ') }, { text: text.replace('long', 'lo\u200bng') }]
    const { flagged, clusters, scores, findings } = await detect(exactDuplicate, corpusOf(rows))
    assert.deepEqual(numbersIn(flagged), [2, 3])
    assert.deepEqual([...clusters!], [0, -1, 0, 0])
    assert.deepEqual([...scores.values], [3, 1, 3, 3])
    assert.equal(findings[1]!.facts['published_forms'], 3)
  })

  it('of short texts need the same label', async () => {
    const rows = [
      { text: 'yes', label: 'a', id: 1 },
      { text: 'yes', label: 'b', id: 2 },
      { text: 'yes', label: 'a', id: 3 },
      { text: 'yes', id: 4 },
      { text: 'yes', id: 5 },
    ]
    assert.deepEqual(numbersIn((await detect(exactDuplicate, corpusOf(rows))).flagged), [2])
  })

  it('are whole rows where there is no text', async () => {
    assert.deepEqual(numbersIn((await detect(exactDuplicate, corpusOf([{}, { label: 'a' }, {}]))).flagged), [2])
  })

  it('that carry different labels are reported', async () => {
    const text = 'The very same words, but two people disagree.'
    const { findings } = await detect(exactDuplicate, corpusOf([{ text, label: 'a' }, { text, label: 'b' }])) // prettier-ignore
    assert.ok(findings.some(({ property }) => property === 'label_quality'))
  })
})

describe('near duplicates', () => {
  const long = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')

  it('share most of their word 5-grams with a kept sample', async () => {
    const rows = [long, `${long} and a few more`, 'too short', long.replace('word30', 'other'), reviews(1, 1)[0]!.text].map((text) => ({
      text,
    }))
    const { flagged, clusters, scores } = await detect(nearDuplicate, corpusOf(rows))
    assert.deepEqual(numbersIn(flagged), [1, 3])
    assert.deepEqual([...clusters!], [0, 0, -1, 0, -1])
    assert.equal(scores.values[3], Math.floor((51 / 61) * 1_000_000))
    assert.equal(scores.valid[2], 0)
  })

  it('are shown beside what is kept, with the words that differ, and their labels where these do', async () => {
    const rows = [long, long.replace('word30', 'other'), `${long}\n`].map((text, i) => ({ text, label: i === 1 ? 'b' : 'a' }))
    const { findings } = await detect(nearDuplicate, corpusOf(rows))
    assert.deepEqual(findings[1]!.facts['differences'], [
      'sample 1: … word27 word28 word29 [-word30-] {+other+} word31 word32 word33 …',
      'sample 2: the same words',
    ])
    assert.deepEqual(findings[1]!.facts['labels'], ['a', 'b'])
  })

  it('do not form chains: everything that is dropped is near something that stays', async () => {
    const words = long.split(' ')
    const rows = Array.from({ length: 30 }, (_, step) => ({ text: words.map((word, i) => (i < 2 * step ? `new${i}` : word)).join(' ') }))
    const corpus = corpusOf(rows)
    const { flagged, clusters } = await detect(nearDuplicate, corpus)
    assert.ok(numbersIn(flagged).length > 10 && numbersIn(flagged).length < 29)
    for (const sample of numbersIn(flagged)) {
      const kept = clusters![sample]!
      assert.equal(flagged[kept], 0)
      assert.ok(jaccard(shingles(rows[sample]!.text, 1000).hashes, shingles(rows[kept]!.text, 1000).hashes) >= 0.7)
    }
  })

  it('are found among ten thousand copies of one text in linear time', async () => {
    const { flagged } = await detect(nearDuplicate, corpusOf(Array.from({ length: 10_000 }, () => ({ text: long.slice(0, 100) }))))
    assert.equal(numbersIn(flagged).length, 9999)
  })

  it('law: Jaccard similarity is that of the sets', () => {
    const sets = fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1 }).map((items) => Uint32Array.from(items).sort())
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const union = new Set([...a, ...b])
        const shared = [...a].filter((item) => b.includes(item))
        assert.equal(jaccard(a, b), shared.length / union.size)
      }),
    )
  })
})
