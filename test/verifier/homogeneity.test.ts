import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { homogeneity } from '../../verifier/detectors/homogeneity.ts'
import { measureDiversity } from '../../verifier/homogeneity/diversity.ts'
import { lengthSpikes } from '../../verifier/homogeneity/lengthSpikes.ts'
import { assistantPhrase, ASSISTANT_PHRASES } from '../../verifier/homogeneity/phrases.ts'
import { drawTexts } from '../../verifier/homogeneity/sampleTokens.ts'
import { sharedEdges } from '../../verifier/homogeneity/sharedEdges.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'
import { reviews } from './sentences.ts'

const WORDS = Array.from({ length: 3000 }, (_, i) => `w${(i * 2_654_435_761) >>> 8}`)

/** Sentences of words that come as often as Zipf says. */
function sentences(count: number, seed: number, words = 24): string[] {
  let state = seed
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
  return Array.from({ length: count }, () =>
    Array.from({ length: words + Math.floor(12 * random()) }, () => WORDS[Math.floor(WORDS.length ** random()) - 1] ?? 'the').join(' '),
  )
}

const summaries = async (texts: readonly string[]) =>
  (await detect(homogeneity, corpusOf(texts.map((text) => ({ text }))))).findings.map(({ summary }) => summary)

describe('homogeneity', () => {
  it('is an opening that many texts share, and flags them', async () => {
    const texts = sentences(1000, 1)
    for (let i = 0; i < 30; i++) texts[i * 20] = `Here is a short review of the film: ${texts[i * 20]}`
    const { findings, flagged, scores } = await detect(homogeneity, corpusOf(texts.map((text) => ({ text }))))
    assert.equal(findings[0]?.summary, '30 of 1000 texts have the same opening: “Here is a short review of the film”.')
    assert.deepEqual(
      numbersIn(flagged),
      Array.from({ length: 30 }, (_, i) => i * 20),
    )
    assert.equal(scores.values[20], 30)
    assert.equal(scores.values[21], 0)
  })

  it('is an ending that many texts share', async () => {
    const texts = sentences(1000, 2)
    for (let i = 0; i < 12; i++) texts[i] += ' and that is all there is to say.'
    assert.match(
      (await summaries(texts))[0]!,
      /^12 of 1000 texts have the same ending: “is all there is to say\.”|^12 of 1000 texts have the same ending: /,
    )
  })

  it('is not in copies of one text, which are duplicates, nor in different texts', async () => {
    const copies = [...sentences(500, 3), ...Array.from({ length: 100 }, () => sentences(1, 9)[0]!)]
    for (const texts of [copies, sentences(1000, 4)])
      assert.ok((await summaries(texts)).every((summary) => summary.startsWith('Diversity of ')))
  })

  it('is a length at which many texts end', async () => {
    const texts = sentences(1000, 5, 60).map((text, i) => (i % 4 === 0 ? text.slice(0, 256).padEnd(256, 'x') : text))
    assert.ok((await summaries(texts)).some((summary) => summary.startsWith('250 of 1000 texts have exactly 256 characters')))
  })

  it('is phrases of assistants, named as that and no more', async () => {
    const texts = sentences(1000, 6).map((text, i) => (i % 50 === 0 ? `${text} I hope this helps!` : text))
    const found = (await summaries(texts)).find((summary) => summary.includes('assistants'))
    assert.equal(found, '20 of 1000 texts begin or end with a phrase that assistants use.')
  })

  it('is told beside human texts of the kind', async () => {
    const corpus = corpusOf(sentences(2000, 7).map((text) => ({ text })))
    const few = sentences(40, 8)
    const alike = corpusOf(Array.from({ length: 2000 }, (_, i) => ({ text: `${few[i % 40]} ${i}` })))
    const run = (own: typeof corpus) =>
      homogeneity.run({
        corpus: own,
        references: [{ cell: 'en/news', corpus }],
        parameters: homogeneity.parameters,
        signal: new AbortController().signal,
        onProgress: () => {},
      })
    const summaryOf = async (own: typeof corpus) => {
      const result = await run(own)
      return result.ran ? result.findings.at(-1)!.summary : result.note
    }
    assert.match(await summaryOf(alike), /^The texts are more alike than human texts of this kind \(en\/news\) by: .*word triples by all/)
    assert.match(await summaryOf(corpusOf(sentences(2000, 99).map((text) => ({ text })))), /^Diversity of 60000 characters/)
  })

  it('is looked for in no text, in one, and in very long ones', async () => {
    for (const texts of [[null], ['a'], [''], ['x'.repeat(1_000_000), 'y '.repeat(500_000)], ['\ud800'.repeat(40)]]) {
      const result = await detect(homogeneity, corpusOf(texts.map((text) => ({ text }))))
      assert.deepEqual(numbersIn(result.flagged), [])
    }
  })

  it('is the same however often it is looked for', async () => {
    const corpus = corpusOf(reviews(300, 1).map(({ text }) => ({ text })))
    assert.deepEqual(await detect(homogeneity, corpus), await detect(homogeneity, corpus))
  })
})

describe('diversity', () => {
  it('falls where texts repeat one another', () => {
    const measure = (texts: string[]) => measureDiversity(drawTexts(texts.length, (i) => texts[i]!, 20_000, 1))
    const different = measure(sentences(500, 1))
    const repeated = measure(sentences(20, 1).flatMap((text) => Array.from({ length: 25 }, (_, i) => `${text} ${i}`)))
    assert.ok(repeated.distinct[2] < different.distinct[2] / 2)
    assert.ok(repeated.repeated > 0.6 && different.repeated < 0.2, `${repeated.repeated} ${different.repeated}`)
    assert.ok(repeated.nearestOverlap! > different.nearestOverlap! + 0.3)
    assert.ok(different.zipfSlope! > 0.5 && different.zipfSlope! < 1.5)
  })

  it('law: has figures within their bounds, whatever the texts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 20 }), (texts) => {
        const drawn = drawTexts(texts.length, (i) => texts[i]!, 1000, 3)
        assert.equal(new Set(drawn.samples).size, drawn.samples.length)
        const { distinct, repeated, nearestOverlap } = measureDiversity(drawn)
        for (const share of distinct) assert.ok(share >= 0 && share <= 1)
        assert.ok(repeated >= 0 && repeated <= 1 && (nearestOverlap === null || (nearestOverlap >= 0 && nearestOverlap <= 1)))
      }),
    )
  })
})

describe('what texts share', () => {
  it('law: is found exactly, however it hashes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 0, max: 40 }), (shared, other) => {
        const tail = ' one two three four five six seven eight nine ten'
        const texts = [
          ...Array.from({ length: shared }, (_, i) => `alpha beta gamma delta epsilon zeta eta theta ${i}${tail}`),
          ...Array.from({ length: other }, (_, i) => `start ${i} beta gamma delta epsilon zeta eta theta ${i}${tail}`),
        ]
        const found = sharedEdges(texts.length, (i) => texts[i]!, 'opening', 2)
        assert.equal(found.length, 1)
        assert.deepEqual(
          found[0]!.samples,
          Array.from({ length: shared }, (_, i) => i),
        )
        assert.equal(found[0]!.words, 'alpha beta gamma delta epsilon zeta eta theta')
      }),
    )
  })

  it('may be a length: only where it stands out', () => {
    const even = Array.from({ length: 1000 }, (_, i) => 50 + (i % 100))
    assert.deepEqual(
      lengthSpikes(1000, (i) => even[i]!, 10),
      [],
    )
    const cut = even.map((length, i) => (i % 10 === 0 ? 512 : length))
    assert.deepEqual(
      lengthSpikes(1000, (i) => cut[i]!, 10).map(({ length, count }) => [length, count]),
      [[512, 100]],
    )
  })

  it('may be any of the phrases, at either end and not in the middle', () => {
    const filler = 'x'.repeat(300)
    for (const [i, phrase] of ASSISTANT_PHRASES.entries()) {
      assert.ok(assistantPhrase(`${phrase} ${filler}`) >= 0, phrase)
      assert.equal(ASSISTANT_PHRASES[assistantPhrase(`${filler} ${phrase}`)]?.includes(phrase.slice(0, 4)), true, String(i))
      assert.equal(assistantPhrase(filler + phrase + filler), -1)
    }
  })
})
