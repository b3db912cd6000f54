import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runDetector } from '../../verifier/detectorRun.ts'
import type { Embeddings, Reference } from '../../verifier/detectors/detector.ts'
import { syntheticTextEmbedding } from '../../verifier/detectors/syntheticTextEmbedding.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { createRandom } from '../../verifier/random.ts'
import { auroc } from '../../verifier/evaluation/statistics/roc.ts'
import { directionFor, type Example, fitDiscriminant, project } from '../../verifier/synthetic/discriminant.ts'
import { decodeDiscriminants, encodeDiscriminants, readDiscriminants, STYLE_LAYERS } from '../../verifier/synthetic/discriminantFile.ts'
import { crossFit } from '../../verifier/synthetic/styleScore.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { corpusOf, numbersIn } from './corpora.ts'
import { reviews } from './sentences.ts'

const signal = new AbortController().signal
const WIDTH = 768

function normalsOf(name: string): () => number {
  const random = createRandom(name)
  return () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += random.below(1 << 20) / (1 << 20)
    return sum
  }
}

/** Texts of about 75 words. */
function texts(count: number, seed: number): string[] {
  const sentences = reviews(count * 3, seed).map(({ text }) => text)
  return Array.from({ length: count }, (_, i) => sentences.slice(3 * i, 3 * i + 3).join('. '))
}

/** Human vectors as the shipped weights know them, about a mean of their own; machine ones lie further along the shift. */
function embeddingsOf(name: string, count: number, isMachine: (sample: number) => boolean, about = 0): Embeddings {
  const normal = normalsOf(name)
  const layers = readDiscriminants().map(({ deviation, shift }, layer) => {
    const values = new Float32Array(count * WIDTH)
    for (let sample = 0; sample < count; sample++)
      for (let i = 0; i < WIDTH; i++) values[sample * WIDTH + i] = 3 + deviation[i]! * (normal() + (isMachine(sample) ? 6 * shift[i]! : 0))
    return { name: STYLE_LAYERS[layer]!, ...vectorsInMemory(values, WIDTH) }
  })
  const contents = Float32Array.from({ length: count * 4 }, () => normal() + about)
  return createEmbeddings({ vectors: vectorsInMemory(contents, 4), valid: new Uint8Array(count).fill(1), layers })
}

interface Case {
  count?: number
  machines?: number
  references?: number
  about?: number
  toleranceMillionths?: number
}

async function run({ count = 200, machines = 0, references = 300, about = 0, toleranceMillionths = 0 }: Case) {
  const corpus = { ...corpusOf(texts(count, 1).map((text) => ({ text }))), language: 'en', domain: 'reviews' }
  const reference: Reference = {
    cell: 'en/reviews',
    corpus: corpusOf(texts(references, 2).map((text) => ({ text }))),
    embeddings: embeddingsOf('references', references, () => false),
  }
  const { id, version, tier, parameters } = syntheticTextEmbedding
  const result = await runDetector({ detector: syntheticTextEmbedding, reference: { id, version, tier, parameters } }, corpus, {
    references: [reference],
    embeddings: embeddingsOf('samples', count, (sample) => sample < machines, about),
    toleranceMillionths,
    signal,
    onProgress: () => {},
  })
  return result
}

describe('synthetic text by embeddings', () => {
  it('raises no alarm where all texts are like the references, and says what it would have found', async () => {
    const result = await run({})
    assert.ok(result.ran)
    assert.ok(result.pValue! > 0.01)
    assert.equal(result.lowerBoundSamples, 0)
    assert.deepEqual(numbersIn(result.flagged), [])
    const rate = result.power![0]!.minimumRateMillionths!
    assert.ok(rate > 10_000 && rate < 200_000)
    assert.equal(result.borderline, undefined)
  })

  it('finds the texts that are unlike them, and a lower bound of their share', async () => {
    const result = await run({ machines: 80 })
    assert.ok(result.ran)
    assert.ok(result.pValue! < 1e-6)
    assert.ok(numbersIn(result.flagged).filter((sample) => sample < 80).length >= 72)
    assert.ok(numbersIn(result.flagged).filter((sample) => sample >= 80).length <= 8)
    assert.ok(result.lowerBoundSamples! > 50 && result.lowerBoundSamples! <= 80)
    assert.match(result.findings[0]!.summary, /texts score so high that of 1,000 human texts of en\/reviews at most/)
  })

  it('says what the last digits may change, both ways', async () => {
    const result = await run({ machines: 80, toleranceMillionths: 20_000 })
    assert.ok(result.ran)
    const [low, high] = result.extremes!
    assert.ok(low!.pValue! >= result.pValue! && high!.pValue! <= result.pValue!)
    assert.deepEqual(
      numbersIn(result.borderline!),
      [...low!.flagged.keys()].filter((sample) => low!.flagged[sample] !== high!.flagged[sample]),
    )
  })

  it('decides nothing where the texts are about other things than the references', async () => {
    const result = await run({ machines: 80, about: 1 })
    assert.ok(result.ran)
    assert.equal(result.pValue, undefined)
    assert.match(result.note!, /decides nothing: the texts are about other things/)
  })

  it('abstains with too few references', async () => {
    assert.deepEqual(await run({ references: 80 }), {
      ran: false,
      note: 'Of en/reviews there are fewer than 99 human reference texts.',
    })
  })
})

describe('the discriminant', () => {
  const width = 6
  const normal = normalsOf('discriminant')
  const vectors = Float32Array.from({ length: 900 * width }, (_, at) => {
    const [row, i] = [Math.floor(at / width), at % width]
    const [kind, machine] = [row % 3, row % 2 === 1]
    return normal() * (kind === 2 && i === 1 ? 5 : 1) + 10 * kind + (machine && i <= 1 ? 1.5 : 0)
  })
  const rows = { dimensions: width, vectors }
  const examples = Array.from({ length: 900 }, (_, row): Example => ({ row, machine: row % 2 === 1, kind: ['a', 'b', 'c'][row % 3]! }))
  const known = fitDiscriminant(
    rows,
    examples.filter(({ kind }) => kind !== 'c'),
  )
  const unseen = examples.filter(({ kind }) => kind === 'c')
  const references = unseen.filter(({ machine }, i) => !machine && i < 200).map(({ row }) => row)

  it('ranks texts of a kind that it was not fitted on, the better for references of that kind', () => {
    const ranking = (humans: readonly number[]) => {
      const direction = directionFor(known, rows, humans)
      const tested = unseen.filter(({ row }) => !references.includes(row))
      const scoresOf = (machine: boolean) =>
        tested.filter((one) => one.machine === machine).map(({ row }) => project(direction, vectors, row))
      return auroc(scoresOf(true), scoresOf(false))!.value
    }
    assert.ok(ranking(references) > 0.75)
    assert.ok(ranking(references) > ranking([]) + 0.05)
  })

  it('centres on the references: their mean scores 0', () => {
    const direction = directionFor(known, rows, references)
    const mean = references.reduce((sum, row) => sum + project(direction, vectors, row), 0) / references.length
    assert.ok(Math.abs(mean) < 1e-9)
  })

  it('compares no reference with a fit that it was part of', async () => {
    const folds = await crossFit([known], { layers: [rows], probe: () => 0 }, { references, classOf: () => 0, classes: 1, folds: 4, probeWeightMillionths: 0, pause: async () => {} }) // prettier-ignore
    assert.deepEqual(
      folds.map(({ humans }) => humans[0]!.length),
      Array.from({ length: 4 }, () => references.length / 4),
    )
    const alone = directionFor(known, rows, references.filter((_, i) => i % 4 !== 0)) // prettier-ignore
    const expected = references.filter((_, i) => i % 4 === 0).map((row) => project(alone, vectors, row))
    assert.deepEqual(folds[0]!.humans[0], expected.toSorted((a, b) => a - b)) // prettier-ignore
  })

  it('is the same but for rounding after it was written and read', () => {
    const [read] = decodeDiscriminants(encodeDiscriminants([known]), 1, width)
    for (const part of ['deviation', 'shift', 'scatter'] as const)
      for (const [i, value] of known[part].entries()) assert.ok(Math.abs(read![part][i]! - value) <= Math.abs(value) / 1000 + 1e-7)
    assert.throws(() => decodeDiscriminants(new Uint8Array(4), 1, width), RangeError)
  })

  it('is not fitted without texts of both kinds', () => {
    assert.throws(() => fitDiscriminant(rows, examples.filter(({ machine }) => machine)), RangeError) // prettier-ignore
  })
})
