/** Samples that repeat the items of benchmark sets, word by word or in other words. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Parameter } from '../../core/documents/recipe.ts'
import { Problem } from '../../core/problem.ts'
import { numberAgreement, numbersIn } from '../../verifier/contamination/rephrasing.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { benchmarkSettings } from '../../verifier/contamination/settings.ts'
import { putDocument } from '../../store/documents.ts'
import { runDetector } from '../../verifier/detectorRun.ts'
import { contaminationEmbedding } from '../../verifier/detectors/contaminationEmbedding.ts'
import { contaminationNgram } from '../../verifier/detectors/contaminationNgram.ts'
import type { Benchmark, Corpus, Detector, DetectorResult } from '../../verifier/detectors/detector.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { testBlocks } from '../support/blocks.ts'
import { corpusOf, numbersIn as samplesIn } from './corpora.ts'
import { indexOf, manifestOf, reportOn } from './reports.ts'

const signal = new AbortController().signal

/** A text of words that no other seed has. */
function sentence(seed: number, length: number): string {
  return Array.from({ length }, (_, i) => `w${seed}x${i}`).join(' ')
}

function textsOf(texts: readonly (string | null)[]): Corpus {
  return corpusOf(texts.map((text) => ({ text })))
}

async function compare(corpus: Corpus, items: readonly (string | null)[]): Promise<DetectorResult> {
  const benchmarks = [{ name: 'exam', corpus: textsOf(items) }]
  const { parameters } = contaminationNgram
  const result = await contaminationNgram.run({ corpus, benchmarks, parameters, signal, onProgress: () => {} })
  assert.ok(result.ran)
  return result
}

describe('contamination word by word', () => {
  test('finds an item inside a longer text, whatever the case and the marks, and shows what both share', async () => {
    const items = [sentence(1, 30), sentence(2, 30)]
    const corpus = textsOf([`Before. ${items[1]!.toUpperCase().replaceAll(' ', ', ')} After.`, sentence(3, 60), null])
    const { flagged, scores, findings, pValue } = await compare(corpus, items)
    assert.deepEqual(samplesIn(flagged), [0])
    assert.deepEqual([...scores.values], [1_000_000, 0, 0])
    assert.deepEqual([...scores.valid], [1, 1, 0])
    assert.equal(pValue, 0)
    assert.match(findings[0]!.summary, /^1 sample repeats items of the benchmark set exam word by word/)
    assert.equal(findings[1]!.facts['item'], 1)
    assert.equal(findings[1]!.facts['longest_run_words'], 30)
    assert.match(String(findings[1]!.facts['shared_words']), /^w2x0, w2x1/)
    assert.deepEqual([findings[1]!.facts['before_in_sample'], findings[1]!.facts['after_in_sample']], ['before', 'after'])
  })

  test('shows no word before what stands at the beginning, nor behind what stands at the end', async () => {
    const { findings } = await compare(textsOf([sentence(1, 30)]), [sentence(1, 30)])
    assert.deepEqual([findings[1]!.facts['before_in_sample'], findings[1]!.facts['after_in_sample']], ['', ''])
  })

  test('takes a long run out of a long item for enough, and a short run for too little', async () => {
    const item = sentence(1, 400)
    const words = item.split(' ')
    const { flagged, scores } = await compare(textsOf([words.slice(100, 150).join(' '), words.slice(100, 149).join(' ')]), [item])
    assert.deepEqual(samplesIn(flagged), [0])
    assert.deepEqual([...scores.values], [125_000, 122_500])
  })

  test('finds an item of fewer than 13 words as a whole, and looks for none of fewer than eight', async () => {
    const { flagged } = await compare(textsOf([`${sentence(9, 5)} ${sentence(1, 8)}`, `${sentence(9, 9)} ${sentence(2, 7)}`]), [
      sentence(1, 8),
      sentence(2, 7),
    ])
    assert.deepEqual(samplesIn(flagged), [0])
  })

  test('overlooks boilerplate that stands in many items', async () => {
    const preamble = sentence(7, 40)
    const items = Array.from({ length: 40 }, (_, i) => `${preamble} ${sentence(i, 10)}`)
    const { flagged } = await compare(textsOf([`${preamble} ${sentence(99, 30)}`]), items)
    assert.deepEqual(samplesIn(flagged), [])
  })

  test('says nothing of hostile rows and survives them', async () => {
    const hostile = ['a '.repeat(200_000), '', 'x'.repeat(400_000), '. '.repeat(1000), 'a b '.repeat(50_000)]
    const { flagged, scores } = await compare(textsOf(hostile), [...hostile, sentence(1, 20), null])
    assert.equal(flagged.length, hostile.length)
    assert.ok(scores.values.every((score) => score >= 0 && score <= 1_000_000))
  })

  test('law: a text that holds an item is flagged, and one that shares no words is not', async () => {
    const words = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 8, maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(words, words, words, async (item, before, after) => {
        const written = (numbers: number[], prefix: string) => numbers.map((number) => prefix + number).join(' ')
        const holding = [written(before, 'b'), written(item, 'i'), written(after, 'a')].join(' ')
        const { flagged, scores } = await compare(textsOf([holding, written(item, 'o')]), [written(item, 'i')])
        // A periodic item may be all boilerplate to itself.
        const grams = Math.max(1, item.length - 12)
        if (grams <= 16) assert.deepEqual([[...flagged], scores.values[0]], [[1, 0], 1_000_000])
        assert.equal(flagged[1], 0)
      }),
      { numRuns: 50 },
    )
  })
})

/** Unit vectors in three dimensions: `angle` degrees away from the axis of an item. */
function vectorsOf(places: readonly (readonly [axis: 0 | 1, degrees: number])[]) {
  const vectors = new Float32Array(places.length * 3)
  for (const [row, [axis, degrees]] of places.entries()) {
    vectors[row * 3 + axis] = Math.cos((degrees * Math.PI) / 180)
    vectors[row * 3 + 2] = Math.sin((degrees * Math.PI) / 180)
  }
  return createEmbeddings({ vectors: vectorsInMemory(vectors, 3), valid: new Uint8Array(places.length).fill(1) })
}

const ITEMS = ['A crate holds 16 apples and 1,250 nuts; how many are there?', 'Why does the moon keep one face towards the earth?']

type Places = Parameters<typeof vectorsOf>[0]

function exam(places: Places): Benchmark {
  return { name: 'exam', corpus: textsOf(ITEMS), embeddings: vectorsOf(places) }
}

interface Resemblance {
  items?: Places
  toleranceMillionths?: number
  parameters?: Record<string, Parameter>
}

async function resemble(
  texts: readonly string[],
  places: Places,
  { items = [[0, 0], [1, 0]], toleranceMillionths = 0, parameters = {} }: Resemblance = {}, // prettier-ignore
): Promise<DetectorResult> {
  const result = await contaminationEmbedding.run({
    corpus: textsOf(texts),
    embeddings: vectorsOf(places),
    benchmarks: [exam(items)],
    parameters: { ...contaminationEmbedding.parameters, ...parameters },
    toleranceMillionths,
    signal,
    onProgress: () => {},
  })
  assert.ok(result.ran)
  return result
}

describe('contamination in other words', () => {
  test('flags a near text with the numbers of its item, and not one that is as near with others', async () => {
    const texts = ['In a box lie 1250 nuts beside 16 apples, how many in all?', 'In a box lie 77 nuts beside 31 apples, how many in all?']
    const { flagged, findings, scores } = await resemble(texts, [[0, 37], [0, 37]]) // prettier-ignore
    assert.deepEqual(samplesIn(flagged), [0])
    assert.deepEqual([...scores.values], [798_635, 798_635])
    assert.equal(findings[1]!.facts['score_millionths'], 998_635)
    assert.equal(findings[1]!.facts['item'], 0)
    assert.deepEqual(findings[1]!.facts['shared_numbers'], ['1250', '16'])
  })

  test('does without numbers where neither text has any', async () => {
    const texts = ['One side of the moon always looks at us: for what reason?', 'One side of the coin always looks at us: for what reason?']
    const { flagged } = await resemble(texts, [[1, 20], [1, 45]]) // prettier-ignore
    assert.deepEqual(samplesIn(flagged), [0])
  })

  test('abstains on short texts, and decides nothing by itself', async () => {
    const { scores, flagged, pValue } = await resemble(['yes', 'A text of at least thirty-two characters.'], [[0, 0], [0, 60]]) // prettier-ignore
    assert.deepEqual([[...scores.valid], [...flagged], pValue], [[0, 1], [0, 0], undefined])
  })

  test('marks samples whose flag hangs on last digits', async () => {
    const text = 'In a box lie 77 nuts beside 31 apples, how many in all?'
    const parameters = { thresholdMillionths: 898_700 }
    const { borderline, flagged } = await resemble([text, text], [[0, 37], [0, 50]], { toleranceMillionths: 100, parameters }) // prettier-ignore
    assert.deepEqual(
      [[...borderline!], [...flagged]],
      [
        [1, 0],
        [0, 0],
      ],
    )
  })

  test('marks samples of which last digits decide what is nearest', async () => {
    const texts = ['In a box lie 1250 nuts beside 16 apples, how many in all?']
    const between = (tolerance: number) => resemble(texts, [[0, 0]], { toleranceMillionths: tolerance, items: [[0, 25], [0, -25]] }) // prettier-ignore
    assert.deepEqual([...(await between(100)).borderline!], [1])
    assert.deepEqual([...(await between(0)).borderline!], [0])
  })

  test('asks for more where the items of a benchmark resemble each other', async () => {
    const count = 300
    const degrees = (row: number) => (row * 60) / count
    const items = Array.from({ length: count }, (_, row) => `Of ${row} questions of one kind this is a certain one, is it not?`)
    const benchmark = { name: 'alike', corpus: textsOf(items), embeddings: vectorsOf(items.map((_, row) => [0, degrees(row)])) }
    const result = await contaminationEmbedding.run({
      corpus: textsOf(['Of 512 questions of one kind this is another one, is it not?']),
      embeddings: vectorsOf([[0, 30.02]]),
      benchmarks: [benchmark],
      parameters: { ...contaminationEmbedding.parameters, twinMillionths: 1_000_000, thresholdMillionths: 0 },
      signal,
      onProgress: () => {},
    })
    assert.ok(result.ran)
    const threshold = Number(/threshold: (\d+)/.exec(result.note!)![1])
    assert.ok(threshold > 990_000, String(threshold))
  })

  test('reads numbers without separators of thousands and compares them as sets', () => {
    assert.deepEqual([...numbersIn('$80,000 and 80000, 2.50, 1,2,3 and 1,000,000')], ['80000', '2', '50', '1', '3', '1000000'])
    assert.equal(numberAgreement(new Set(), new Set()), 500_000)
    assert.equal(numberAgreement(new Set(['1', '2', '3']), new Set(['3'])), 333_333)
    assert.equal(numberAgreement(new Set(['1']), new Set()), 0)
  })
})

describe('benchmark sets', () => {
  test('are what detectors of contamination need, and else do not run', async () => {
    for (const detector of [contaminationNgram, contaminationEmbedding] satisfies Detector[]) {
      const { id, version, tier, parameters } = detector
      const job = { detector, reference: { id, version, tier, parameters } }
      const result = await runDetector(job, textsOf([sentence(1, 20)]), { signal, onProgress: () => {} })
      assert.ok(!result.ran)
      assert.match(result.note, /no benchmark sets to compare with/)
    }
  })

  test('are data sets that the recipe names by their index; a report compares others with them, and not themselves', async () => {
    await using blocks = await testBlocks()
    const items = [sentence(1, 20), sentence(2, 20)].map((text) => ({ text }))
    const manifest = await manifestOf(blocks, items.map((row) => JSON.stringify(row) + '\n').join(''))
    const index = await indexOf(blocks, manifest)
    for (const document of [manifest, index]) await putDocument(blocks, document)
    const recipe = buildRecipe([], [], undefined, [{ cell: 'benchmark/exam', index: index.cid, sampleCount: 2 }])
    assert.deepEqual(recipe.document.references, [{ cell: 'benchmark/exam', index: index.cid, sampleCount: 2 }])
    const { flagsOf, property, report } = await reportOn(blocks, [{ text: sentence(5, 20) }, { text: `Q: ${sentence(2, 20)}` }], { recipe })
    assert.deepEqual([flagsOf(0), flagsOf(1)], [[], ['contaminated']])
    assert.equal(property('duplication').state, 'FLAGGED')
    assert.match(report.detectors.find(({ id }) => id === 'contamination_ngram')!.note!, /Compared with exam \(items: 2\)/)

    const own = await reportOn(blocks, items, { recipe })
    assert.deepEqual([own.flagsOf(0), own.flagsOf(1)], [[], []])

    const wrong = buildRecipe([], [], undefined, [{ cell: 'benchmark/exam', index: index.cid, sampleCount: 3 }])
    await assert.rejects(reportOn(blocks, [{ text: 'x' }], { recipe: wrong }), { code: 'invalid-document' })
  })

  test('are embedded by the model of the recipe, so that other wordings are found', async () => {
    await using blocks = await testBlocks()
    const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 2 })
    const content = (texts: readonly string[]) => texts.map((text) => JSON.stringify({ text }) + '\n').join('')
    const exam = await manifestOf(blocks, content(ITEMS))
    const examIndex = await indexOf(blocks, exam)
    for (const document of [exam, examIndex]) await putDocument(blocks, document)
    const manifest = await manifestOf(blocks, content(['There are 16 apples and 1250 nuts in a crate. How many is that?', 'He sold 3 old bicycles and bought a very small boat.'])) // prettier-ignore
    const recipe = buildRecipe([embedder.reference], [], undefined, [
      { cell: 'benchmark/exam', index: examIndex.cid, sampleCount: ITEMS.length },
    ])
    const asked: string[] = []
    const report = await buildReport({
      blocks,
      index: await indexOf(blocks, manifest),
      manifest: manifest.document,
      recipe,
      embedder,
      comparedEmbedder: (cid) => {
        asked.push(cid.toString())
        return embedder
      },
      signal,
      onProgress: () => {},
    })
    assert.deepEqual(asked, [examIndex.cid.toString()])
    const { ran, flaggedSamples, note } = report.detectors.find(({ id }) => id === 'contamination_embedding')!
    assert.deepEqual([ran, flaggedSamples], [true, 1], note)
  })

  test('are chosen in a file, each name once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'assay-benchmarks-'))
    try {
      const path = join(dir, 'data', 'benchmarks.json')
      assert.deepEqual(await benchmarkSettings.read(path), [])
      const { cid: index } = buildRecipe([])
      for (const [name, sampleCount] of [['b', 1], ['a', 2], ['b', 3]] as const) await benchmarkSettings.add(path, { name, index, sampleCount }) // prettier-ignore
      const chosen = await benchmarkSettings.read(path)
      assert.deepEqual(chosen.map(({ name, sampleCount }) => [name, sampleCount]), [['a', 2], ['b', 3]]) // prettier-ignore
      await assert.rejects(benchmarkSettings.add(path, { name: 'No/Name', index, sampleCount: 1 }), Problem)
      await writeFile(path, '{}')
      await assert.rejects(benchmarkSettings.read(path), { code: 'invalid-document' })
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
