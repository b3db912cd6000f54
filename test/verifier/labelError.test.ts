import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Parameter } from '../../core/documents/recipe.ts'
import { Evidence } from '../../core/findings.ts'
import { createCorpus } from '../../verifier/corpus.ts'
import type { Corpus, DetectorAbstained, DetectorResult } from '../../verifier/detectors/detector.ts'
import { labelError } from '../../verifier/detectors/labelError.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { chanceOfRate, noiseRateOf } from '../../verifier/labels/noiseModel.ts'
import { judgeProperties } from '../../verifier/verdict.ts'

interface Row {
  text: string | null
  label: string | null
  vector: number[]
}

const DIMENSIONS = 8
const THRESHOLDS = { alphaMillionths: 10_000, coverageMillionths: 950_000, powerMillionths: 10_000, syntheticPowerMillionths: 100_000 }

/** Numbers in [0, 1) from a seed. */
function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Texts of classes that their words and vectors tell apart, as a person labels them. */
function labelledRows(count: number, classes: number): Row[] {
  const random = sequence(7)
  return Array.from({ length: count }, (_, i) => {
    const topic = i % classes
    const words = Array.from({ length: 8 }, (_word, at) => `w${at % 3 === 0 ? topic : 'x'}n${Math.floor(random() * 12)}`)
    return {
      text: `${words.join(' ')} ${i}`,
      label: `topic ${topic}`,
      vector: Array.from({ length: DIMENSIONS }, (_number, d) => (d === topic % DIMENSIONS ? 1.5 : 0) + random() - 0.5),
    }
  })
}

/** Every n-th row with the next class's label. */
function mislabel(rows: readonly Row[], every: number, classes: number): { rows: Row[]; wrong: Set<number> } {
  const wrong = new Set<number>()
  const changed = rows.map((row, i) => {
    if (i % every !== 3) return row
    wrong.add(i)
    return { ...row, label: `topic ${((i % classes) + 1 + (Math.floor(i / every) % (classes - 1))) % classes}` }
  })
  return { rows: changed, wrong }
}

function corpusOf(rows: readonly Row[]): Corpus {
  return createCorpus({
    texts: rows.map(({ text }) => text),
    labels: rows.map(({ label }) => label),
    digests: new Uint8Array(rows.length * 32),
    language: null,
    domain: null,
    seed: new Uint8Array(32).fill(5),
  })
}

interface Options {
  parameters?: Record<string, Parameter>
  toleranceMillionths?: number
}

async function run(rows: readonly Row[], { parameters = {}, toleranceMillionths = 0 }: Options = {}) {
  const corpus = corpusOf(rows)
  const vectors = new Float32Array(rows.length * DIMENSIONS)
  for (const [i, { vector, text }] of rows.entries()) {
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    if (text !== null)
      vectors.set(
        vector.map((value) => value / norm),
        i * DIMENSIONS,
      )
  }
  await using embeddings = createEmbeddings({
    vectors: vectorsInMemory(vectors, DIMENSIONS),
    valid: Uint8Array.from(rows, ({ text }) => (text === null ? 0 : 1)),
    threads: 1,
  })
  const result: DetectorResult | DetectorAbstained = await labelError.run({
    corpus,
    embeddings,
    toleranceMillionths,
    parameters: { ...labelError.parameters, ...parameters },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  if (result.ran) Evidence.parse(result.findings)
  return result
}

async function mustRun(rows: readonly Row[], options?: Options): Promise<DetectorResult> {
  const result = await run(rows, options)
  assert.ok(result.ran)
  return result
}

function stateOf(result: DetectorResult | DetectorAbstained, count: number): string {
  const outcome = { id: 'label_error', property: 'label_quality', result } as const
  return judgeProperties([outcome], count, THRESHOLDS).find(({ property }) => property === 'label_quality')!.state
}

test('labels that words and neighbours contradict are flagged, with the label that they suggest', async () => {
  const { rows, wrong } = mislabel(labelledRows(1200, 4), 21, 4)
  const result = await mustRun(rows)
  const hits = [...wrong].filter((row) => result.flagged[row]).length
  const flagged = result.flagged.reduce((sum, bit) => sum + bit, 0)
  assert.ok(hits >= 0.9 * wrong.size, `${hits} of ${wrong.size} were found`)
  assert.ok(flagged - hits <= 0.2 * wrong.size, `${flagged - hits} right labels were flagged`)
  assert.equal(stateOf(result, rows.length), 'FLAGGED')

  const [whole, single] = result.findings
  assert.equal(whole!.sampleCount, flagged)
  assert.match(whole!.summary, /^\d+ of 1200 labels are not borne out by their texts/)
  assert.match((whole!.facts['confused_classes'] as string[])[0]!, /^“topic \d” looks like “topic \d”: \d+$/)
  const sample = single!.samples[0]!
  assert.equal(single!.facts['given_label'], rows[sample]!.label)
  assert.equal(single!.facts['suggested_label'], `topic ${sample % 4}`)
  assert.equal((single!.facts['nearest'] as string[]).length, 5)
})

test('the rate of wrong labels is estimated, and its lower bound holds', async () => {
  const { rows, wrong } = mislabel(labelledRows(1200, 4), 11, 4)
  const result = await mustRun(rows)
  const rate = result.findings[0]!.facts['noise_rate_millionths'] as number
  assert.ok(Math.abs(rate / 1e6 - wrong.size / rows.length) < 0.02, `${rate}`)
  assert.ok(result.lowerBoundSamples! > 0.7 * wrong.size && result.lowerBoundSamples! <= wrong.size)
})

test('labels that are right are clear, with the rate that would have been found', async () => {
  const rows = labelledRows(6000, 4)
  const result = await mustRun(rows)
  assert.equal(result.pValue, 1)
  assert.equal(result.power!.length, 1)
  assert.ok(result.power![0]!.minimumRateMillionths! <= 10_000)
  assert.equal(stateOf(result, rows.length), 'CLEAR')
})

test('a data set that is too small to show one wrong label in a hundred is inconclusive', async () => {
  const rows = labelledRows(80, 4)
  assert.equal(stateOf(await mustRun(rows), rows.length), 'INCONCLUSIVE')
})

test('two runs give the same scores, and words may be left out for their cost', async () => {
  const { rows } = mislabel(labelledRows(400, 3), 19, 3)
  const [one, two] = [await mustRun(rows), await mustRun(rows)]
  assert.deepEqual(one, two)
  const without = await mustRun(rows, { parameters: { wordOperationsThousands: 0 } })
  assert.match(without.note!, /by embeddings alone/)
})

test('scores near the threshold are borderline within the tolerance of similarities', async () => {
  const { rows } = mislabel(labelledRows(400, 3), 19, 3)
  const exact = await mustRun(rows)
  assert.equal(exact.borderline!.includes(1), false)
  assert.equal(exact.extremes, undefined)
  const loose = await mustRun(rows, { toleranceMillionths: 200_000 })
  const [fewest, most] = loose.extremes!.map(({ flagged }) => flagged.reduce((sum, bit) => sum + bit, 0))
  assert.ok(fewest! < most!)
})

test('samples without a text or a label, and classes of few texts, are not looked at', async () => {
  const rows = labelledRows(300, 3)
  rows[0] = { ...rows[0]!, text: null }
  rows[1] = { ...rows[1]!, label: null }
  rows[2] = { ...rows[2]!, label: 'alone' }
  const result = await mustRun(rows)
  assert.deepEqual([...result.scores.valid.subarray(0, 4)], [0, 0, 0, 1])
  assert.match(result.note!, /1 labels of 1 classes .* not looked at/)
})

test('what is no classification is not run, and says why', async () => {
  const rows = labelledRows(200, 4)
  const cases: [Row[], RegExp][] = [
    [rows.map((row) => ({ ...row, label: 'one' })), /same label/],
    [rows.map((row, i) => ({ ...row, label: `${i / 7}` })), /too many to be classes/],
    [rows.map((row, i) => ({ ...row, text: 'all the same', label: `${i % 2}` })), /Fewer than two labels stand on 5 different texts/],
    [rows.map((row) => ({ ...row, label: null })), /No sample has both/],
    [[], /No sample has both/],
  ]
  for (const [hostile, reason] of cases) {
    const result = await run(hostile)
    assert.equal(result.ran, false)
    assert.match(result.note!, reason)
    assert.equal(stateOf(result, hostile.length), 'INCONCLUSIVE')
  }
})

test('of many classes as many of the largest are looked at as time allows', async () => {
  const rows = labelledRows(1500, 100)
  const result = await mustRun(rows, { parameters: { maximumClasses: 40 } })
  assert.match(result.note!, /^600 labels of 40 classes/)
  assert.equal(stateOf(result, rows.length), 'INCONCLUSIVE')
})

test('equal vectors with different labels and very long words are no error', async () => {
  const rows = labelledRows(120, 3).map((row, i) => ({ ...row, vector: [1, 0, 0, 0, 0, 0, 0, 0], text: `${'x'.repeat(20_000)} ${i}` }))
  const result = await mustRun(rows)
  assert.ok(result.scores.values.every((score) => Number.isInteger(score)))
})

test('the noise rate of probabilities that always favour the given class is 0, and its chance 1', () => {
  const sure = new Float64Array(500).fill(0.99)
  const none = noiseRateOf(sure, 3)
  assert.ok(none.rate < 1e-6)
  assert.equal(chanceOfRate(sure, 3, none, 0.005), 1)
  const doubted = sure.map((p, i) => (i % 10 === 0 ? 0.001 : p))
  const some = noiseRateOf(doubted, 3)
  assert.ok(Math.abs(some.rate - 0.1) < 0.02)
  assert.ok(chanceOfRate(doubted, 3, some, 0.005) < 1e-6)
})
