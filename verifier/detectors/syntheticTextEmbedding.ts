/**
 * Synthetic text by how it is written (D4 and D5, tier T1): the middle layers of the embedding model, read against human texts of the same
 * language, kind and length, which the recipe names (synthetic/styleScore.ts). The first tokens of each text are read, as many as the model takes.
 *
 * A sample's score, in millionths, is that of styleScore.ts, its p-value the share of references of its class of length that score as high.
 * Benjamini and Hochberg's procedure flags. The data set is judged by how many of its texts lie in the highest 5 % of the references: more than chance
 * explains (conformal.ts) is an alarm, and what is left of them after two standard errors the lower bound of their share. It decides only
 * where the data set is about what the references are about: else content would pass for style.
 */
import { createProbe, readWeights } from '../synthetic/probe.ts'
import { benjaminiHochberg, chanceOfTail, countAtLeast, LEAST_REFERENCES, shareUnlike, type TailCount } from '../synthetic/conformal.ts'
import { readDiscriminants, STYLE_LAYERS } from '../synthetic/discriminantFile.ts'
import { LENGTH_CLASSES } from '../synthetic/lengths.ts'
import { contentDistance, likenessOf } from '../synthetic/likeness.ts'
import { crossFit, type Fold, PROBE_WEIGHT_MILLIONTHS } from '../synthetic/styleScore.ts'
import { syntheticFinding, unscoredNote } from '../synthetic/wording.ts'
import { takeVectors, type VectorSource } from '../vectors.ts'
import { createScores, type Detector, type DetectorResult, type Embeddings, integerParameter } from './detector.ts'
import { scoreText } from './syntheticText.ts'

const MILLION = 1_000_000
/** Rows of all layers that are in memory at once. */
const BLOCK_ROWS = 1024

export const syntheticTextEmbedding: Detector = {
  id: 'synthetic_text_embedding',
  version: 1,
  tier: 'T1',
  property: 'synthetic_share',
  flag: 'synthetic',
  needs: { text: true, embeddings: true, layers: true, references: true },
  parameters: {
    /** Expected share of false ones among the flagged, in millionths. */
    falseDiscoveryMillionths: 50_000,
    /** The highest scores among the references that the data set is judged by. */
    tailMillionths: 50_000,
    /** The chance of a false alarm that the stated power is for. */
    alarmMillionths: 10_000,
    /** Greatest distance of contents (synthetic/likeness.ts) at which style is told from content. */
    mostContentDistanceMillionths: 125_000,
    folds: 5,
    probeWeightMillionths: PROBE_WEIGHT_MILLIONTHS,
    /** So many references at most are read, evenly spaced: their vectors are held in memory. */
    mostReferences: 4000,
    /** How far a score may be off, for each millionth that a similarity may be. */
    scoreTolerancePerSimilarity: 4,
  },
  async run({ corpus, embeddings, references = [], parameters, toleranceMillionths = 0, signal, onProgress }) {
    const [reference] = references
    if (reference?.embeddings === undefined || embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const layers = layersOf(embeddings)
    const humanLayers = layersOf(reference.embeddings)
    const discriminants = readDiscriminants()
    if (!isReadable(layers) || !isReadable(humanLayers))
      return { ran: false, note: `Its weights are for the layers ${STYLE_LAYERS.join(' and ')} of the default model.` }

    const probe = createProbe(readWeights())
    const humans = humanRows(reference.embeddings)
    if (humans.length < LEAST_REFERENCES)
      return { ran: false, note: `Of ${reference.cell} there are fewer than ${LEAST_REFERENCES} human reference texts.` }
    const pause = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      signal.throwIfAborted()
    }
    const humanVectors = await Promise.all(
      humanLayers.map(async (layer) => ({
        dimensions: layer.dimensions,
        vectors: await takeVectors(
          layer,
          humans.map(({ row }) => row),
        ),
      })),
    )
    const folds = await crossFit(
      discriminants,
      { layers: humanVectors, probe: (row) => humans[row]!.score },
      {
        references: [...humans.keys()],
        classOf: (row) => humans[row]!.lengthClass,
        classes: LENGTH_CLASSES.length,
        folds: integerParameter(parameters, 'folds'),
        probeWeightMillionths: integerParameter(parameters, 'probeWeightMillionths'),
        pause,
      },
    )
    const referencesOf = LENGTH_CLASSES.map((_, i) => humans.filter(({ lengthClass }) => lengthClass === i).length)
    const isLike = likenessOf(humans.map(({ text }) => text))

    const scores = createScores(corpus.count, false)
    const lengthClasses = new Int8Array(corpus.count).fill(-1)
    /** As computed, and with every score as much higher or lower as it may be. */
    const tolerance = (toleranceMillionths * integerParameter(parameters, 'scoreTolerancePerSimilarity')) / MILLION
    const shifts = tolerance === 0 ? [0] : [0, -tolerance, tolerance]
    const pValues = shifts.map(() => new Float64Array(corpus.count))
    const unscored = { short: 0, unlike: 0, withoutReferences: 0 }
    for (let first = 0; first < corpus.count; first += BLOCK_ROWS) {
      await pause()
      onProgress(first / corpus.count)
      const count = Math.min(BLOCK_ROWS, corpus.count - first)
      const block = await Promise.all(
        layers.map(async (layer) => ({ dimensions: layer.dimensions, vectors: await layer.read(first, count) })),
      )
      for (let row = 0; row < count; row++) {
        const sample = first + row
        const text = embeddings.valid[sample] ? corpus.canonicalText(sample) : null
        if (text === null) continue
        const spelt = scoreText(probe, text)
        if (spelt === null) unscored.short++
        else if (referencesOf[spelt.lengthClass]! < LEAST_REFERENCES) unscored.withoutReferences++
        else if (!isLike(text)) unscored.unlike++
        else {
          const rows = { layers: block, probe: () => spelt.score }
          const ofFolds = folds.map(({ scorer }) => scorer.score(rows, row))
          scores.values[sample] = Math.round((ofFolds.reduce((sum, score) => sum + score, 0) / folds.length) * MILLION)
          scores.valid[sample] = 1
          lengthClasses[sample] = spelt.lengthClass
          for (const [i, shift] of shifts.entries()) pValues[i]![sample] = pValueOf(folds, spelt.lengthClass, ofFolds, shift)
        }
      }
    }
    const looked = [...scores.valid.keys()].filter((sample) => scores.valid[sample])
    const distance = await contentDistance(
      { vectors: embeddings.vectors, wanted: scores.valid },
      { vectors: reference.embeddings.vectors, wanted: wantedRows(reference.embeddings.valid.length) },
    )
    const isComparable = distance * MILLION <= integerParameter(parameters, 'mostContentDistanceMillionths')
    const [said, ...extremes] = pValues.map(judge)
    return {
      ran: true,
      note: noteOf(),
      scores,
      ...said!,
      ...(extremes.length === 0 ? {} : { extremes, borderline: said!.flagged.map((_, i) => (extremes[0]!.flagged[i] === extremes[1]!.flagged[i] ? 0 : 1)) }), // prettier-ignore
      ...(isComparable && looked.length > 0 ? { power: [powerOf()] } : {}),
    }

    /** The references that are read: long enough and embedded. */
    function humanRows({ valid }: Pick<Embeddings, 'valid'>) {
      const { corpus: humanCorpus } = reference!
      const rows = Array.from({ length: humanCorpus.count }, (_, row) => row).flatMap((row) => {
        const text = valid[row] ? humanCorpus.canonicalText(row) : null
        const scored = text === null ? null : scoreText(probe, text)
        return scored === null ? [] : [{ row, text: text!, ...scored }]
      })
      const stride = Math.ceil(rows.length / integerParameter(parameters, 'mostReferences'))
      return rows.filter((_, i) => i % stride === 0)
    }

    function wantedRows(count: number): Uint8Array {
      const wanted = new Uint8Array(count)
      for (const { row } of humans) wanted[row] = 1
      return wanted
    }

    function tailsOf(ofSamples: Float64Array, tail: number): TailCount[] {
      const counts = referencesOf.map((count): TailCount => ({ samples: 0, inTail: 0, references: count }))
      for (const sample of looked) {
        const count = counts[lengthClasses[sample]!]!
        count.samples++
        if (ofSamples[sample]! <= tail) count.inTail++
      }
      return counts
    }

    function judge(ofSamples: Float64Array): Pick<DetectorResult, 'flagged' | 'pValue' | 'lowerBoundSamples' | 'findings'> {
      const tail = integerParameter(parameters, 'tailMillionths') / MILLION
      const counts = tailsOf(ofSamples, tail)
      const share = shareUnlike(counts, tail)
      const chance = chanceOfTail(counts, tail)
      const flagged = benjaminiHochberg(ofSamples, looked, integerParameter(parameters, 'falseDiscoveryMillionths') / MILLION)
      const inTail = counts.reduce((sum, count) => sum + count.inTail, 0)
      const perHundred = (100 * tail).toFixed(0)
      const finding = syntheticFinding({
        detector: 'synthetic_text_embedding',
        cell: reference!.cell,
        corpus,
        flagged,
        pValues: ofSamples,
        looked,
        facts: {
          references: humans.length,
          texts_in_tail: inTail,
          tail_millionths: integerParameter(parameters, 'tailMillionths'),
          share_millionths: Math.floor(share.estimate * MILLION),
          share_at_least_millionths: Math.floor(share.lowerBound * MILLION),
          content_distance_millionths: Math.round(distance * MILLION),
        },
        ...(chance < integerParameter(parameters, 'alarmMillionths') / MILLION
          ? {
              withoutRows: `${inTail} of ${looked.length} texts score as high as the highest ${perHundred} in 100 human texts of ${reference!.cell} do; no single one stands out.`,
            }
          : {}),
      })
      return {
        flagged,
        findings: finding === null ? [] : [finding],
        ...(isComparable ? { pValue: chance, lowerBoundSamples: Math.floor(share.lowerBound * looked.length) } : {}),
      }
    }

    /** The least share of texts, all in the tail, that would be an alarm. */
    function powerOf() {
      const tail = integerParameter(parameters, 'tailMillionths') / MILLION
      const alarm = integerParameter(parameters, 'alarmMillionths') / MILLION
      const counts = tailsOf(pValues[0]!, tail)
      const alarms = (share: number) =>
        chanceOfTail(
          counts.map((count) => ({ ...count, inTail: Math.floor(count.samples * (share + (1 - share) * tail)) })),
          tail,
        ) < alarm
      let [low, high] = [0, MILLION]
      while (high - low > 1000) {
        const middle = (low + high) >> 1
        if (alarms(middle / MILLION)) high = middle
        else low = middle
      }
      return {
        attack: 'texts of a generator that the score tells from people',
        minimumRateMillionths: alarms(high / MILLION) ? high : null,
      }
    }

    function noteOf(): string {
      const verdict = isComparable
        ? ''
        : ` It decides nothing: the texts are about other things than the references (distance ${distance.toFixed(3)}), and content may pass for style.`
      return `Compared with ${humans.length} human texts of ${reference!.cell}, by beginnings, as far as the embedding model reads texts; little power below 100 words.${verdict}${unscoredNote(unscored, referencesOf)}`
    }
  },
}

function layersOf({ layers = [] }: Pick<Embeddings, 'layers'>): VectorSource[] {
  return STYLE_LAYERS.flatMap((name) => layers.filter((layer) => layer.name === name))
}

function isReadable(layers: readonly VectorSource[]): boolean {
  return layers.length === STYLE_LAYERS.length && layers.every(({ dimensions }) => dimensions === 768)
}

/** The share of references of a class that score as high, each compared with the score of its own fold. */
function pValueOf(folds: readonly Fold[], lengthClass: number, scores: readonly number[], shift: number): number {
  let [above, all] = [0, 0]
  for (const [fold, { humans }] of folds.entries()) {
    above += countAtLeast(humans[lengthClass]!, scores[fold]! + shift)
    all += humans[lengthClass]!.length
  }
  return (1 + above) / (1 + all)
}
