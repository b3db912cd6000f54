/**
 * Label errors (D3): labels that neither the words, nor the embedding, nor the nearest others of their texts bear out. Three views of the
 * class, each without the text's own label (verifier/labels/{wordModel,ridge,neighbourVote}.ts), are joined to a calibrated probability
 * beside a rate of wrong labels (noiseModel.ts). A sample's score is the log-odds in thousandths that its label is wrong; it is flagged where
 * that is likelier than not. The property is flagged where the rate is above `toleratedMillionths`.
 *
 * Measured at 5 % of labels replaced (half of the texts by hash, on which no parameter was chosen): TREC, SUBJ, CLINC have an AUROC of
 * 0.982, 0.986, 0.999 and an F1 of 0.78, 0.80, 0.94; the product of the ranks of margin and vote gave 0.979, 0.981, 0.997. Where the classes
 * are hard to tell apart it finds less: on SST-2 0.86 and 0.35. Wrong labels that all stand in one class (a fifth of it) are ranked (0.96 to
 * 0.99) but not always flagged, and poisoned labels are learnt from a few percent on: not made for these.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { excerptOf } from '../contents.ts'
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { judgeLabels, type Judgement } from '../labels/judgement.ts'
import { type LabelledSamples, readLabelledSamples } from '../labels/labelledSamples.ts'
import { neighbourVote, type Vote } from '../labels/neighbourVote.ts'
import { chanceOfRate } from '../labels/noiseModel.ts'
import { measurePower } from '../labels/power.ts'
import { ridgeScores } from '../labels/ridge.ts'
import { wordScores } from '../labels/wordModel.ts'
import { type Corpus, createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000
/** Of the standard normal distribution, 95 % are below it. */
const ONE_SIDED_95 = 1.645
const NEIGHBOURS_IN_EVIDENCE = 5
const PAIRS_IN_EVIDENCE = 16

export const labelError: Detector = {
  id: 'label_error',
  version: 2,
  tier: 'T1',
  property: 'label_quality',
  flag: 'label_error',
  needs: { label: true, embeddings: true },
  parameters: {
    ...NEIGHBOUR_PARAMETERS,
    alphaMillionths: 10_000,
    /** Wrong labels that a data set may have. */
    toleratedMillionths: 5000,
    folds: 6,
    minimumClassTexts: 5,
    maximumClasses: 1000,
    /** Samples × classes. */
    maximumCells: 30_000_000,
    fittedSamples: 100_000,
    ridgePenaltyMilli: 1000,
    voters: 20,
    voteSharpness: 16,
    maximumTokens: 256,
    epochs: 6,
    /** Multiplications in thousands that the fit of words may take, and its weights. */
    wordOperationsThousands: 6_000_000,
    wordWeights: 16_000_000,
    /** By how much a millionth of similarity may change a score, in thousandths: measured at most 50. */
    doubtMilli: 100,
    powerRatesMillionths: [2500, 5000, 7500, 10_000, 15_000, 20_000, 30_000, 50_000, 100_000],
    powerSeeds: 3,
    rowsInEvidence: 20,
  },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal, onProgress }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const { ofImages = false } = embeddings
    const parameter = (name: string) => integerParameter(parameters, name)
    const pause = async () => {
      await nextTurn()
      signal.throwIfAborted()
    }
    const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
    const folds = parameter('folds')
    const labelled = readLabelledSamples(corpus, embeddings.valid, {
      folds,
      minimumClassTexts: parameter('minimumClassTexts'),
      maximumCells: parameter('maximumCells'),
      maximumClasses: parameter('maximumClasses'),
      fittedSamples: parameter('fittedSamples'),
      seed,
    })
    const unfit = whyUnfit(labelled, parameter('minimumClassTexts'))
    if (unfit !== null) return { ran: false, note: unfit }
    onProgress(0.1)

    const neighbours = await embeddings.neighbours(neighbourSearch(parameters))
    /** What the views say of the class, each label counting as it is trusted. */
    const look = async (trust: Float64Array) => {
      const ridge = await ridgeScores(
        labelled,
        { vectors: embeddings.vectors, folds, trust, penalty: parameter('ridgePenaltyMilli') / 1000 },
        pause,
      )
      const vote = await neighbourVote(labelled, neighbours, {
        voters: parameter('voters'),
        sharpness: parameter('voteSharpness'),
        trust,
      })
      const words = await wordScores(
        corpus,
        labelled,
        {
          folds,
          trust,
          maximumTokens: parameter('maximumTokens'),
          epochs: parameter('epochs'),
          operations: parameter('wordOperationsThousands') * 1000,
          weights: parameter('wordWeights'),
        },
        pause,
      )
      await pause()
      return { vote, words, judgement: judgeLabels(labelled, words === null ? [ridge, vote.scores] : [ridge, vote.scores, words]) }
    }
    const first = await look(new Float64Array(labelled.samples.length).fill(1))
    onProgress(0.5)
    // Models that have learnt wrong labels speak for them: the second ones do not learn those that the first ones contradict.
    const { words, judgement } = await look(trustOf(labelled, first.judgement))
    onProgress(0.9)

    const doubt = Math.ceil((toleranceMillionths * parameter('doubtMilli')) / 1000)
    const scores = createScores(corpus.count, false)
    const [flagged, borderline] = [new Uint8Array(corpus.count), new Uint8Array(corpus.count)]
    for (const [place, sample] of labelled.samples.entries()) {
      const score = judgement.scores[place]!
      scores.valid[sample] = 1
      scores.values[sample] = score
      flagged[sample] = score > 0 ? 1 : 0
      borderline[sample] = doubt > 0 && Math.abs(score) <= doubt ? 1 : 0
    }

    const tolerated = parameter('toleratedMillionths') / MILLION
    /** What is said with `shift` of the labels more that are wrong. */
    const decide = (flags: Uint8Array, shift: number) => {
      const rate = judgement.noise.rate + shift
      const least = Math.max(0, rate - ONE_SIDED_95 * judgement.noise.standardError)
      return {
        flagged: flags,
        pValue: chanceOfRate(judgement.given, labelled.classNames.length, judgement.noise, Math.max(0, tolerated - shift)),
        lowerBoundSamples: Math.floor(least * labelled.samples.length),
        findings: findingsOf(corpus, labelled, judgement, first.vote, flags, { rows: parameter('rowsInEvidence'), ofImages }),
      }
    }
    const doubtful = borderline.reduce((sum, bit) => sum + bit, 0) / labelled.samples.length
    const rates = parameters['powerRatesMillionths']
    if (!Array.isArray(rates) || !rates.every((rate) => typeof rate === 'number'))
      throw new TypeError('the recipe gives no "powerRatesMillionths"')
    return {
      ran: true,
      note: noteOf(labelled, words !== null || ofImages),
      scores,
      borderline,
      ...decide(flagged, 0),
      ...(doubtful === 0
        ? {}
        : {
            extremes: [
              decide(
                flagged.map((flag, sample) => (borderline[sample] ? 0 : flag)),
                -doubtful,
              ),
              decide(
                flagged.map((flag, sample) => flag | borderline[sample]!),
                doubtful,
              ),
            ],
          }),
      power: [
        measurePower(judgement.given, labelled.classes, labelled.classNames.length, judgement.probability, {
          ratesMillionths: rates,
          seeds: parameter('powerSeeds'),
          seed,
          tolerated,
          alpha: parameter('alphaMillionths') / MILLION,
        }),
      ],
    }
  },
}

function whyUnfit({ labelledCount, labelCount, classNames }: LabelledSamples, minimumClassTexts: number): string | null {
  if (labelCount === 0) return 'No sample has both a text and a label.'
  if (labelCount === 1) return 'All samples have the same label.'
  if (2 * labelCount > labelledCount) return `There are ${labelCount} labels on ${labelledCount} samples: too many to be classes.`
  if (classNames.length < 2) return `Fewer than two labels stand on ${minimumClassTexts} different texts or images, or more.`
  return null
}

/** The trust in each label; whole where most of a class would lose it: classes that no model tells apart are not therefore wrong. */
function trustOf({ classes, classSizes }: LabelledSamples, { trust }: Judgement): Float64Array {
  const sums = new Float64Array(classSizes.length)
  for (const [place, label] of classes.entries()) sums[label]! += trust[place]!
  return trust.map((share, place) => (2 * sums[classes[place]!]! < classSizes[classes[place]!]! ? 1 : share))
}

function noteOf({ samples, labelledCount, labelCount, classNames, fitted }: LabelledSamples, wordsRead: boolean): string {
  const parts = [`${samples.length} labels of ${classNames.length} classes`]
  if (classNames.length < labelCount)
    parts.push(
      `${labelledCount - samples.length} labels of ${labelCount - classNames.length} classes that are too small or too many were not looked at`,
    )
  const fittedCount = fitted.reduce((sum, bit) => sum + bit, 0)
  if (fittedCount < samples.length) parts.push(`models were fitted on ${fittedCount} of them`)
  if (!wordsRead) parts.push('by embeddings alone: there are too many classes and words to fit a model of words')
  parts.push(
    'the rate takes wrong labels to be drawn evenly among the other classes; labels that are wrong by a rule may be learnt as right',
  )
  return parts.join('; ')
}

function findingsOf(
  corpus: Corpus,
  labelled: LabelledSamples,
  { noise, scores, suggested, confusion }: Judgement,
  { voters, voterCount }: Vote,
  flags: Uint8Array,
  { rows, ofImages }: { rows: number; ofImages: boolean },
): Finding[] {
  const places = [...labelled.samples.keys()].filter((place) => flags[labelled.samples[place]!])
  if (places.length === 0) return []
  const nameOf = (label: number) => labelled.classNames[label]!.slice(0, 128)
  const confused = confusion.pairs.reduce((sum, { count }) => sum + count, 0)
  const [low, high] = [-1, 1].map((side) => percent(noise.rate + side * 1.96 * noise.standardError))
  const common = { detector: 'label_error', property: 'label_quality', flag: 'label_error' } as const
  const whole: Finding = {
    ...common,
    summary: `${places.length} of ${labelled.samples.length} labels are not borne out by their ${ofImages ? 'images: by images like them' : 'texts: by their words and by similar texts'} another label is likelier. An estimated ${percent(noise.rate)} of all labels are wrong (95 % interval: ${low} to ${high}).`,
    sampleCount: places.length,
    samples: places.slice(0, MAX_FINDING_SAMPLES).map((place) => labelled.samples[place]!),
    facts: {
      noise_rate_millionths: Math.round(noise.rate * MILLION),
      noise_rate_standard_error_millionths: Math.round(noise.standardError * MILLION),
      confident_learning_rate_millionths: Math.round((confused / Math.max(1, confusion.counted)) * MILLION),
      confused_classes: confusion.pairs
        .slice(0, PAIRS_IN_EVIDENCE)
        .map(({ given, suggested: other, count }) => `“${nameOf(given)}” looks like “${nameOf(other)}”: ${count}`),
      flagged_of_class: countsByClass(places, labelled)
        .slice(0, PAIRS_IN_EVIDENCE)
        .map(({ label, count }) => `“${nameOf(label)}”: ${count} of ${labelled.classSizes[label]!}`),
    },
  }
  const worst = places.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, rows)
  const single = worst.map((place): Finding => {
    const sample = labelled.samples[place]!
    const own = labelled.classes[place]!
    const nearest = [...voters.subarray(place * voterCount, (place + 1) * voterCount)].filter((voter) => voter >= 0)
    const agreeing = nearest.filter((voter) => labelled.classes[labelled.placeOf[voter]!] === own).length
    return {
      ...common,
      summary: `Sample ${sample} has the label “${nameOf(own)}”; it is more like “${nameOf(suggested[place]!)}”. Of its ${nearest.length} nearest others ${agreeing} share its label.`,
      sampleCount: 1,
      samples: [sample],
      facts: {
        text: excerptOf(corpus, sample),
        given_label: nameOf(own),
        suggested_label: nameOf(suggested[place]!),
        log_odds_thousandths: scores[place]!,
        nearest: nearest
          .slice(0, NEIGHBOURS_IN_EVIDENCE)
          .map((voter) => `sample ${voter}, “${nameOf(labelled.classes[labelled.placeOf[voter]!]!)}”: ${excerptOf(corpus, voter)}`),
      },
    }
  })
  return [whole, ...single]
}

/** How many of the places each class has, most first. */
function countsByClass(places: readonly number[], { classes }: LabelledSamples): { label: number; count: number }[] {
  const counts = new Map<number, number>()
  for (const place of places) counts.set(classes[place]!, (counts.get(classes[place]!) ?? 0) + 1)
  return [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count || a.label - b.label)
}

function percent(share: number): string {
  return `${(Math.max(0, share) * 100).toFixed(2)} %`
}
