import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { benjaminiHochberg, LENGTH_CLASSES, scoreText, syntheticText } from '../../verifier/detectors/syntheticText.ts'
import { createProbe, readWeights } from '../../verifier/synthetic/probe.ts'
import { countWords, windows } from '../../verifier/synthetic/windows.ts'
import { corpusOf, numbersIn } from './corpora.ts'
import { reviews } from './sentences.ts'

const probe = createProbe(readWeights())
const signal = new AbortController().signal

/** Texts of about 75 words. */
function texts(count: number, seed: number): string[] {
  const sentences = reviews(count * 3, seed).map(({ text }) => text)
  return Array.from({ length: count }, (_, i) => sentences.slice(3 * i, 3 * i + 3).join('. '))
}

function run(rows: string[], references: Record<string, number[][]>) {
  const corpus = { ...corpusOf(rows.map((text) => ({ text }))), language: 'en-GB', domain: 'reviews' }
  const parameters = { ...syntheticText.parameters, references }
  return syntheticText.run({ corpus, parameters, signal, onProgress: () => {} })
}

describe('the synthetic-text probe', () => {
  it('abstains where it has no human texts to compare with', async () => {
    const result = await run(texts(3, 1), {})
    assert.deepEqual(result, { ran: false, note: 'There are no human reference texts for en/reviews.' })
  })

  it('abstains where it has too few of them', async () => {
    assert.equal((await run(texts(3, 1), { 'en/reviews': [[1, 2, 3], [], []] })).ran, false)
  })

  it('flags next to none of the texts that are like its references', async () => {
    const humans = texts(400, 2)
      .map((text) => scoreText(probe, text)!.score)
      .sort((a, b) => a - b)
    const result = await run(texts(400, 3), { 'en/reviews': LENGTH_CLASSES.map(() => humans) })
    assert.ok(result.ran)
    assert.ok(numbersIn(result.flagged).length <= 8)
    assert.equal(result.pValue, undefined)
    assert.equal(result.lowerBoundSamples, 0)
  })

  it('flags texts that score far above them, and gives the share', async () => {
    const rows = texts(400, 4)
    const scores = rows.map((text) => scoreText(probe, text)!.score)
    const median = scores.toSorted((a, b) => a - b)[200]!
    const humans = Array.from({ length: 1000 }, (_, i) => median - 1000 + i)
    const result = await run(rows, { 'en/reviews': LENGTH_CLASSES.map(() => humans) })
    assert.ok(result.ran)
    assert.ok(numbersIn(result.flagged).every((sample) => scores[sample]! > humans[900]!))
    assert.ok(numbersIn(result.flagged).length > 150)
    assert.ok(result.lowerBoundSamples! < 200)
  })

  it('does not score short texts', async () => {
    const result = await run(['short', ...texts(2, 5)], {
      'en/reviews': LENGTH_CLASSES.map(() => Array.from({ length: 200 }, (_, i) => i)),
    })
    assert.ok(result.ran)
    assert.deepEqual([...result.scores.valid], [0, 1, 1])
  })

  it('reads windows of 250 words and leaves out rests below 50', () => {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
    assert.deepEqual(windows(words(49)), [])
    assert.deepEqual(windows(words(290)).map(countWords), [250])
    assert.deepEqual(windows(words(560)).map(countWords), [250, 250, 60])
  })
})

describe('Benjamini and Hochberg', () => {
  it('rejects up to the last p-value below its line', () => {
    const pValues = Float64Array.from([0.9, 0.01, 0.03, 0.02, 0.5])
    assert.deepEqual(numbersIn(benjaminiHochberg(pValues, [0, 1, 2, 3, 4], 0.05)), [1, 2, 3])
    assert.deepEqual(numbersIn(benjaminiHochberg(pValues, [], 0.05)), [])
  })
})
