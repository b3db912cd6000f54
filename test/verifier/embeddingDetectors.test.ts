import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Parameter } from '../../core/documents/recipe.ts'
import { Evidence } from '../../core/findings.ts'
import { createCorpus } from '../../verifier/corpus.ts'
import type { Corpus, Detector, DetectorResult, Embeddings } from '../../verifier/detectors/detector.ts'
import { outlier } from '../../verifier/detectors/outlier.ts'
import { semanticDuplicate } from '../../verifier/detectors/semanticDuplicate.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'

function corpusOf(texts: (string | null)[]): Corpus {
  return createCorpus({
    texts,
    labels: texts.map(() => null),
    digests: new Uint8Array(texts.length * 32),
    language: null,
    domain: null,
    seed: new Uint8Array(32),
  })
}

/** Embeddings that are given outright; null where there is none. */
function embeddingsOf(rows: (number[] | null)[], dimensions: number): Embeddings {
  const vectors = new Float32Array(rows.length * dimensions)
  for (const [i, row] of rows.entries()) {
    if (row === null) continue
    const norm = Math.hypot(...row)
    vectors.set(
      row.map((value) => value / norm),
      i * dimensions,
    )
  }
  return createEmbeddings({
    vectors: vectorsInMemory(vectors, dimensions),
    valid: Uint8Array.from(rows, (row) => (row === null ? 0 : 1)),
    threads: 1,
  })
}

/** Numbers in [0, 1) from a seed. */
function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Directions around the first axis. */
function crowd(count: number, dimensions: number, spread: number): number[][] {
  const random = sequence(1)
  return Array.from({ length: count }, () => Array.from({ length: dimensions }, (_, d) => (d === 0 ? 1 : spread * (random() - 0.5))))
}

async function run(detector: Detector, corpus: Corpus, embeddings: Embeddings, parameters: Record<string, Parameter> = {}) {
  const result = await detector.run({
    corpus,
    embeddings,
    parameters: { ...detector.parameters, ...parameters },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  if (result.ran) {
    Evidence.parse(result.findings)
    for (const finding of result.findings.slice(0, 1)) assert.equal(finding.sampleCount, flaggedOf(result).length)
  }
  return result
}

async function mustRun(...input: Parameters<typeof run>): Promise<DetectorResult> {
  const result = await run(...input)
  assert.ok(result.ran)
  return result
}

const flaggedOf = ({ flagged }: DetectorResult) => [...flagged.keys()].filter((sample) => flagged[sample])
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `text number ${i} of this small collection of texts`)

test('outliers: samples far from all others are flagged, alone or in a small group of their own', async () => {
  const rows = crowd(400, 8, 1)
  const alone = 17
  const group = [100, 200, 300, 350]
  rows[alone] = [-1, 0, 0, 0, 0, 0, 0, 3]
  for (const [i, sample] of group.entries()) rows[sample] = [-1, 3, 0.01 * i, 0, 0, 0, 0, 0]
  const result = await mustRun(outlier, corpusOf(numbered(400)), embeddingsOf(rows, 8))
  assert.deepEqual(flaggedOf(result), [alone, ...group])
  assert.match(result.findings[0]!.summary, /^5 samples are unlike nearly all others: .* to the 20th nearest other/)
  const shown = result.findings.find(({ samples }) => samples.length === 1 && samples[0] === 100)!
  assert.match(shown.summary, /^Sample 100 is at \d\.\d{3} from its 20th nearest other\.$/)
  const nearest = shown.facts['nearest'] as string[]
  assert.equal(nearest.length, 5)
  for (const [i, other] of [200, 300, 350].entries()) assert.ok(nearest[i]!.startsWith(`sample ${other} at 0.000: `), nearest[i])
})

test('outliers: a crowd without strangers has none, nor has a set of equal texts', async () => {
  const even = await mustRun(outlier, corpusOf(numbered(400)), embeddingsOf(crowd(400, 8, 1), 8))
  assert.deepEqual(flaggedOf(even), [])
  assert.deepEqual(even.findings, [])
  const equal = await mustRun(outlier, corpusOf(numbered(400)), embeddingsOf(crowd(400, 8, 0), 8))
  assert.deepEqual(flaggedOf(equal), [])
})

test('outliers: samples without a text are passed over, and too few texts are refused with a reason', async () => {
  const rows: (number[] | null)[] = crowd(400, 8, 1)
  const texts: (string | null)[] = numbered(400)
  rows[5] = null
  texts[5] = null
  const result = await mustRun(outlier, corpusOf(texts), embeddingsOf(rows, 8))
  assert.equal(result.scores.valid[5], 0)
  assert.equal(result.scores.valid[6], 1)
  const few = await run(outlier, corpusOf(numbered(99)), embeddingsOf(crowd(99, 8, 1), 8))
  assert.deepEqual(few, { ran: false, note: '99 texts are too few to tell which of them stand apart.' })
})

test('semantic duplicates: linked samples form clusters, of which the lowest number is kept', async () => {
  const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  // Cosine ≥ 0.95 up to 18.19 degrees apart.
  const rows = [at(0), at(90), at(18), at(180), at(36), at(108.5), null]
  const texts = [...numbered(6), null]
  const result = await mustRun(semanticDuplicate, corpusOf(texts), embeddingsOf(rows, 2))
  assert.deepEqual(flaggedOf(result), [2, 4])
  assert.deepEqual([...result.clusters!], [0, -1, 0, -1, 0, -1, -1])
  assert.deepEqual([...result.scores.valid], [1, 1, 1, 1, 1, 1, 0])
  assert.equal(result.scores.values[0], 951_057)
  assert.equal(result.scores.values[5], 948_324)
})

test('semantic duplicates: texts of very different or very small length are not compared', async () => {
  const long = 'the beginning of a long story that both of the texts share word for word'
  const texts = [long, `${long}, and then goes on for much longer in one of them: ${'more '.repeat(30)}`, 'yes', 'yes.']
  const rows = [[1, 0], [1, 0], [0, 1], [0, 1]] // prettier-ignore
  const result = await mustRun(semanticDuplicate, corpusOf(texts), embeddingsOf(rows, 2))
  assert.deepEqual(flaggedOf(result), [])
  assert.deepEqual(flaggedOf(await mustRun(semanticDuplicate, corpusOf(texts), embeddingsOf(rows, 2), { minimumCharacters: 1 })), [3])
})

test('semantic duplicates: real paraphrases are found, and different questions of one kind are not', async () => {
  const texts = [
    'What part of your body contains the corpus callosum ?',
    'Where is the Grand Canyon and how deep is it at its deepest ?',
    'The corpus callosum is in what part of the body ?',
    'How many people live in the largest city of Australia ?',
    'What city is served by Logan International Airport ?',
    'Who was the first person to climb Mount Everest alone ?',
    'What is the name of the city that Logan International Airport serves ?',
  ]
  const corpus = corpusOf(texts)
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 1 })
  const embeddings = await embedder.embed(corpus, { signal: new AbortController().signal })
  const result = await mustRun(semanticDuplicate, corpus, embeddings)
  assert.deepEqual(flaggedOf(result), [2, 6])
  assert.deepEqual([...result.clusters!], [0, -1, 0, -1, 4, -1, 4])
})

test('samples within the tolerance of a threshold are borderline: what another device might flag otherwise', async () => {
  const rows = crowd(400, 8, 1)
  rows[17] = [-1, 0, 0, 0, 0, 0, 0, 3]
  const embeddings = embeddingsOf(rows, 8)
  const corpus = corpusOf(numbered(400))
  const judge = (detector: Detector, parameters: Record<string, Parameter>, toleranceMillionths: number) =>
    detector.run({
      corpus,
      embeddings,
      parameters: { ...detector.parameters, ...parameters },
      toleranceMillionths,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    })
  // A threshold that lies where some sample's nearest other does.
  const { scores } = await mustRun(semanticDuplicate, corpus, embeddings)
  for (const [detector, parameters] of [
    [outlier, {}],
    [semanticDuplicate, { similarityMillionths: scores.values[5]! + 1000 }],
  ] as const) {
    const strict = await judge(detector, parameters, 0)
    const tolerant = await judge(detector, parameters, 2000)
    assert.ok(strict.ran && tolerant.ran)
    assert.equal(
      strict.borderline?.some((bit) => bit === 1),
      false,
    )
    assert.deepEqual(tolerant.flagged, strict.flagged)
    const borderline = [...tolerant.borderline!.keys()].filter((sample) => tolerant.borderline![sample])
    // The stranger is far from any threshold.
    assert.ok(!borderline.includes(17))
    if (detector === semanticDuplicate) assert.ok(borderline.includes(5) && borderline.length < 400)
  }
})
