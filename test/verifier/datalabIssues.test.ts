/** The issue types of cleanlab's Datalab that go by embeddings. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Evidence } from '../../core/findings.ts'
import type { Corpus, Detector, DetectorResult, Embeddings } from '../../verifier/detectors/detector.ts'
import { dataValuation } from '../../verifier/detectors/dataValuation.ts'
import { homogeneityEmbedding } from '../../verifier/detectors/homogeneityEmbedding.ts'
import { nonIid } from '../../verifier/detectors/nonIid.ts'
import { underperformingGroup } from '../../verifier/detectors/underperformingGroup.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { departure, shuffledPlaces } from '../../verifier/quality/indexDistance.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { corpusOf, numbersIn } from './corpora.ts'

const DIMENSIONS = 16

/** Numbers in [−1, 1) from a seed. */
function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 31 - 1
}

interface Point {
  /** Axis that it lies along. */
  topic: number
  label: string | null
}

/** Texts around the axes of their topics. */
async function run(
  detector: Detector,
  points: readonly Point[],
  { noise = 0.5, ...context }: { noise?: number; toleranceMillionths?: number; references?: never[] } = {},
) {
  const corpus = corpusOf(points.map(({ label, topic }, i) => ({ text: `text ${i} of topic ${topic}`, label })))
  await using embeddings = embeddingsOf(points, noise)
  return outcome(detector, corpus, embeddings, context)
}

function embeddingsOf(points: readonly Point[], noise: number): Embeddings {
  const random = sequence(points.length)
  const vectors = new Float32Array(points.length * DIMENSIONS)
  for (const [i, { topic }] of points.entries()) {
    const row = Array.from({ length: DIMENSIONS }, (_, d) => (d === topic ? 1 : 0) + (noise * random()) / 2)
    const norm = Math.hypot(...row)
    vectors.set(
      row.map((value) => value / norm),
      i * DIMENSIONS,
    )
  }
  return createEmbeddings({ vectors: vectorsInMemory(vectors, DIMENSIONS), valid: new Uint8Array(points.length).fill(1), threads: 1 })
}

async function outcome(detector: Detector, corpus: Corpus, embeddings: Embeddings, context: object = {}) {
  const result = await detector.run({
    corpus,
    embeddings,
    parameters: detector.parameters,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...context,
  })
  if (result.ran) {
    Evidence.parse(result.findings)
    assert.equal(result.pValue, undefined)
  }
  return result
}

async function mustRun(...input: Parameters<typeof run>): Promise<DetectorResult> {
  const result = await run(...input)
  assert.ok(result.ran, JSON.stringify(result))
  return result
}

const mixed = (count: number, topics = 4): Point[] =>
  Array.from({ length: count }, (_, i) => ({ topic: (i * 7919) % topics, label: `label ${(i * 7919) % topics}` }))

describe('non-iid', () => {
  it('is a set whose topics stand behind one another', async () => {
    const sorted = mixed(400).toSorted((a, b) => a.topic - b.topic)
    const { findings, flagged } = await mustRun(nonIid, sorted)
    assert.equal(findings.length, 2)
    assert.match(
      findings[0]!.summary,
      /^The order of the samples says something of them: half of the texts that are most alike stand at most \d\d samples apart/,
    )
    assert.match(findings[1]!.summary, /^The labels do not stand in random order: 99\.\d % of them equal the one before/)
    assert.deepEqual(numbersIn(flagged), [])
  })

  it('is not a shuffled one', async () => {
    const points = mixed(400)
    const places = shuffledPlaces(400, 5)
    const { findings } = await mustRun(
      nonIid,
      points.map((_, i) => points[places[i]!]!),
    )
    assert.deepEqual(findings, [])
  })

  it('is not told of few texts', async () => {
    const result = await run(nonIid, mixed(20))
    assert.deepEqual(result, { ran: false, note: '20 texts are too few to tell whether their order matters.' })
  })

  it('law: a shuffle is an order of all samples, and neighbours anywhere depart little', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.nat(), (count, seed) => {
        const places = shuffledPlaces(count, seed)
        assert.deepEqual(
          [...places].sort((a, b) => a - b),
          Array.from({ length: count }, (_, i) => i),
        )
        const sample = seed % count
        const all = Array.from({ length: count }, (_, other) => Math.abs(other - sample)).filter((distance) => distance > 0)
        assert.ok(
          departure(
            sample,
            all.sort((a, b) => a - b),
            count,
          ) <
            1.5 / Math.sqrt(count),
        )
        assert.ok(departure(sample, [1], count) >= 0)
      }),
    )
  })
})

describe('data valuation', () => {
  it('is low for samples that stand among others of another label', async () => {
    const points = mixed(400)
    for (const wrong of [40, 80, 120]) points[wrong] = { ...points[wrong]!, label: 'label 9' }
    const { scores, flagged } = await mustRun(dataValuation, points)
    assert.deepEqual(
      numbersIn(flagged).filter((sample) => ![40, 80, 120].includes(sample)),
      [],
    )
    for (const wrong of [40, 80, 120]) assert.ok(scores.values[wrong]! <= 0)
  })

  it("is Datalab's, before it is divided by twice the neighbours and the samples", async () => {
    // What cleanlab 2.9.0 computes (data_shapley_knn) of five points on a line with labels 0 1 0 1 0 and k = 4.
    const vectors = Float32Array.from([0, 1, 2, 3, 4].flatMap((i) => [Math.cos(i / 10), Math.sin(i / 10)]))
    await using line = createEmbeddings({ vectors: vectorsInMemory(vectors, 2), valid: new Uint8Array(5).fill(1), threads: 1 })
    const corpus = corpusOf(['0', '1', '0', '1', '0'].map((label, i) => ({ text: `text ${i}`, label })))
    const result = await outcome(dataValuation, corpus, line, { parameters: { ...dataValuation.parameters, looked: 4, minimumSamples: 5 } })
    assert.ok(result.ran)
    assert.deepEqual(
      [...result.scores.values].map((score) => 0.5 + score / (2 * 4 * 5)),
      [0.5, 0.45, 0.5, 0.45, 0.5],
    )
  })

  it('is not told of names instead of classes', async () => {
    const result = await run(
      dataValuation,
      Array.from({ length: 100 }, (_, i) => ({ topic: 0, label: String(i) })),
    )
    assert.match(result.ran ? '' : result.note, /too many to be classes/)
  })

  it('has borderline samples only within a tolerance', async () => {
    const points = mixed(400)
    assert.deepEqual(numbersIn((await mustRun(dataValuation, points)).borderline!), [])
    assert.ok(numbersIn((await mustRun(dataValuation, points, { toleranceMillionths: 50 })).borderline!).length > 0)
  })
})

describe('an underperforming group', () => {
  const random = sequence(3)
  const confused = mixed(1200, 6).map((point) =>
    point.topic === 2 ? { ...point, label: `label ${Math.floor(3 * (random() + 1))}` } : point,
  )

  it('is a topic whose labels are any', async () => {
    const { findings, flagged } = await mustRun(underperformingGroup, confused)
    const topic = confused.flatMap(({ topic: own }, sample) => (own === 2 ? [sample] : []))
    assert.deepEqual(numbersIn(flagged), topic)
    assert.ok(findings.length >= 1)
    assert.match(
      findings[0]!.summary,
      /^A group of \d+ texts that are alike has labels that their nearest others bear out in \d\d % of cases, where it is \d\d % in all\.$/,
    )
  })

  it('is not in topics whose labels are borne out', async () => {
    const { findings } = await mustRun(underperformingGroup, mixed(1200, 6))
    assert.deepEqual(findings, [])
  })
})

describe('homogeneity in meaning', () => {
  it('is told by directions and distances, beside those of human texts of the kind', async () => {
    const wide = await mustRun(homogeneityEmbedding, mixed(500, 12))
    const narrow = await mustRun(homogeneityEmbedding, mixed(500, 2), { noise: 0.05 })
    const directions = (result: DetectorResult) => Number(result.findings[0]!.facts['directions_hundredths'])
    assert.ok(directions(wide) > 3 * directions(narrow), `${directions(wide)} ${directions(narrow)}`)
    await using human = embeddingsOf(mixed(600, 12), 0.5)
    await using own = embeddingsOf(mixed(500, 2), 0.05)
    const corpus = corpusOf(mixed(500, 2).map((_, i) => ({ text: `text ${i}` })))
    const reference = { cell: 'en/news', corpus, embeddings: human }
    const result = await outcome(homogeneityEmbedding, corpus, own, { references: [reference] })
    assert.match(
      result.ran ? result.findings[0]!.summary : '',
      /^The texts are more alike in meaning than human texts of this kind: .* \(en\/news\)/,
    )
  })

  it('is not told of few texts', async () => {
    assert.equal((await run(homogeneityEmbedding, mixed(30))).ran, false)
  })
})

describe('detectors of hygiene on embeddings', () => {
  const degenerate: Record<string, Point[]> = {
    'one sample': mixed(1),
    'all equal': Array.from({ length: 500 }, () => ({ topic: 0, label: 'a' })),
    'no labels': mixed(500).map((point) => ({ ...point, label: null })),
    'a label each': mixed(500).map((point, i) => ({ ...point, label: `l${i}` })),
  }
  for (const [name, points] of Object.entries(degenerate))
    it(`finish on ${name}`, async () => {
      for (const detector of [nonIid, dataValuation, underperformingGroup, homogeneityEmbedding]) {
        const result = await run(detector, points, { noise: 0 })
        assert.ok(result.ran || result.note.length > 0)
      }
    })
})
