import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Reference } from '../../verifier/detectors/detector.ts'
import { scoreText, syntheticText } from '../../verifier/detectors/syntheticText.ts'
import { runDetector } from '../../verifier/detectorRun.ts'
import { createRandom } from '../../verifier/random.ts'
import { benjaminiHochberg, chanceOfTail, conformalPValue, shareUnlike } from '../../verifier/synthetic/conformal.ts'
import { lengthClassName, lengthClassOf } from '../../verifier/synthetic/lengths.ts'
import { contentDistance, likenessOf } from '../../verifier/synthetic/likeness.ts'
import { createProbe, readWeights } from '../../verifier/synthetic/probe.ts'
import { countWords, windows } from '../../verifier/synthetic/windows.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { corpusOf, numbersIn } from './corpora.ts'
import { reviews } from './sentences.ts'

const probe = createProbe(readWeights())
const signal = new AbortController().signal

/** Texts of about 75 words. */
function texts(count: number, seed: number): string[] {
  const sentences = reviews(count * 3, seed).map(({ text }) => text)
  return Array.from({ length: count }, (_, i) => sentences.slice(3 * i, 3 * i + 3).join('. '))
}

function referenceOf(rows: readonly (string | null)[]): Reference {
  return { cell: 'en/reviews', corpus: corpusOf(rows.map((text) => ({ text }))) }
}

function run(rows: (string | null)[], references: Reference[]) {
  const corpus = { ...corpusOf(rows.map((text) => ({ text }))), language: 'en-GB', domain: 'reviews' }
  const { id, version, tier, parameters } = syntheticText
  return runDetector({ detector: syntheticText, reference: { id, version, tier, parameters } }, corpus, {
    references,
    signal,
    onProgress: () => {},
  })
}

describe('the synthetic-text probe', () => {
  it('abstains where it has no human texts to compare with, or too few of any length', async () => {
    const without = await run(texts(3, 1), [])
    assert.ok(!without.ran && without.note.includes('no human reference texts for en-gb/reviews'))
    assert.deepEqual(await run(texts(3, 1), [referenceOf(texts(98, 2))]), {
      ran: false,
      note: 'Of en/reviews there are fewer than 99 human reference texts of any length.',
    })
  })

  it('flags next to none of the texts that are like its references, and decides nothing', async () => {
    const result = await run(texts(400, 3), [referenceOf(texts(400, 2))])
    assert.ok(result.ran)
    assert.ok(numbersIn(result.flagged).length <= 8)
    assert.equal(result.pValue, undefined)
    assert.ok(result.note!.startsWith('Exploratory'))
  })

  it('flags texts that score far above them, and says how many human texts score as high', async () => {
    const all = texts(900, 4).toSorted((a, b) => scoreText(probe, a)!.score - scoreText(probe, b)!.score)
    const result = await run(all.slice(-100), [referenceOf(all.slice(0, 800))])
    assert.ok(result.ran)
    assert.equal(numbersIn(result.flagged).length, 100)
    assert.match(result.findings[0]!.summary, /^100 of 100 texts score so high that of 1,000 human texts of en\/reviews at most 2 do\.$/)
  })

  it('scores no texts that are short, missing, in another language, or code, and says so', async () => {
    const code = Array.from({ length: 12 }, (_, i) => `let v${i} = f${i}(a[${i}], b.${i});`).join(' ')
    const german = 'Straßenbahn fährt morgens durch viele Dörfer hinter unserem Haus vorbei '.repeat(7)
    const result = await run([...texts(2, 5), 'short', null, code, german], [referenceOf(texts(200, 6))])
    assert.ok(result.ran)
    assert.deepEqual([...result.scores.valid], [1, 1, 0, 0, 0, 0])
    assert.match(result.note!, /1 of fewer than 50 words; 2 that lack the references' common words/)
  })

  it('reads windows of 250 words and leaves out rests below 50', () => {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
    assert.deepEqual(windows(words(49)), [])
    assert.deepEqual(windows(words(290)).map(countWords), [250])
    assert.deepEqual(windows(words(560)).map(countWords), [250, 250, 60])
    assert.deepEqual(
      [49, 99, 180, 560].map((count) => scoreText(probe, words(count))?.lengthClass),
      [undefined, 0, 2, 2],
    )
    assert.deepEqual([49, 50, 99, 100, 180].map(lengthClassOf), [-1, 0, 0, 1, 2])
    assert.equal(lengthClassName(1), '100 to 179')
  })
})

describe('likeness', () => {
  it('law: takes nearly every reference itself, and every text where there is none', () => {
    const own = texts(150, 7)
    const isLike = likenessOf(own)
    assert.ok(own.filter(isLike).length >= 148)
    assert.ok(likenessOf([])('anything'))
  })

  it('contents of one kind lie at a distance of about 0, and others further apart the further their means', async () => {
    const random = createRandom('contents')
    const vectors = (count: number, mean: number) =>
      vectorsInMemory(Float32Array.from({ length: count * 4 }, () => random.below(1000) / 1000 + mean), 4) // prettier-ignore
    const distance = (mean: number) =>
      contentDistance({ vectors: vectors(500, 0), wanted: new Uint8Array(500).fill(1) }, { vectors: vectors(400, mean), wanted: new Uint8Array(400).fill(1) }) // prettier-ignore
    assert.ok(Math.abs(await distance(0)) < 0.01)
    assert.ok((await distance(0.5)) > 1)
    assert.equal(await contentDistance({ vectors: vectors(2, 0), wanted: [0, 0] }, { vectors: vectors(2, 0), wanted: [0, 0] }), 0)
  })
})

describe('conformal statistics', () => {
  it('a p-value is the share of references that score as high, the text itself counted', () => {
    assert.equal(conformalPValue([1, 2, 3], 2), 3 / 4)
    assert.equal(conformalPValue([1, 2, 3], 4), 1 / 4)
  })

  it('Benjamini and Hochberg reject up to the last p-value below their line', () => {
    const pValues = Float64Array.from([0.9, 0.01, 0.03, 0.02, 0.5])
    assert.deepEqual(numbersIn(benjaminiHochberg(pValues, [0, 1, 2, 3, 4], 0.05)), [1, 2, 3])
    assert.deepEqual(numbersIn(benjaminiHochberg(pValues, [], 0.05)), [])
  })

  it('the chance of a tail is that of all orders of samples and references, counted', () => {
    // Of the 10 orders of two samples and three references, 1 has both samples first, and 4 more have one before the first reference.
    const chance = (inTail: number) => chanceOfTail([{ samples: 2, inTail, references: 3 }], 0.25)
    assert.ok(Math.abs(chance(2) - 1 / 10) < 1e-12)
    assert.ok(Math.abs(chance(1) - 4 / 10) < 1e-12)
    assert.equal(chance(0), 1)
    assert.equal(chanceOfTail([], 0.05), 1)
  })

  it('law: texts of the references’ kind raise the alarm no more often than they may, and the lower bound stays below their share', () => {
    const random = createRandom('alarms')
    const [datasets, alpha] = [400, 0.05]
    let [alarms, held] = [0, 0]
    for (let i = 0; i < datasets; i++) {
      const draw = (count: number) => Array.from({ length: count }, () => random.below(1 << 30)).sort((a, b) => a - b)
      const [humans, samples] = [draw(200), draw(300)]
      const inTail = samples.filter((score) => conformalPValue(humans, score) <= 0.05).length
      const counts = [{ samples: 300, inTail, references: 200 }]
      if (chanceOfTail(counts, 0.05) <= alpha) alarms++
      if (shareUnlike(counts, 0.05).lowerBound === 0) held++
    }
    assert.ok(alarms / datasets <= alpha + 0.03)
    assert.ok(held / datasets >= 0.93)
  })

  it('law: more in the tail never means less of a share, nor a greater chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 99, max: 3000 }), fc.nat(2000), (samples, references, seen) => {
        const inTail = Math.min(seen, samples - 1)
        const [less, more] = [inTail, inTail + 1].map((count) => [{ samples, inTail: count, references }])
        assert.ok(shareUnlike(less!, 0.05).estimate <= shareUnlike(more!, 0.05).estimate)
        assert.ok(chanceOfTail(less!, 0.05) >= chanceOfTail(more!, 0.05) - 1e-9)
        const { estimate, lowerBound } = shareUnlike(more!, 0.05)
        assert.ok(lowerBound <= estimate && estimate <= 1 + 1e-12)
      }),
    )
  })
})
