/**
 * Style poison (D6): texts of one label that share a way of writing (a sentence template, a register, a habit of punctuation) which
 * nearly only this label has, though their content speaks for other labels as well. The embedding and the rarer words say what a label
 * should be; in each class the samples are looked for that are written alike and unlike all other classes (verifier/style/separation.ts);
 * a class is named where these have the label far more often than content explains, and by more than the way of writing decides in the
 * other classes of the same data set (verifier/style/excess.ts). A sample's score is in thousandths: by how many standard deviations it
 * stands out from the other classes, and how strong the evidence against its class is.
 *
 * Measured on SST-2: sentence templates at 20, 5 and 1 % of the samples have a row AUROC of .98, .95 and .82 (at 1 % from .80 to .95 with
 * other samples), style transfer at 10, 5 and 1 % of .999, .999 and .98 (.95 and .94 at 10 and 5 % with capitals and spacing taken away);
 * the alarm is raised from 5 % on and in no clean set (SMS, SUBJ, TREC, 2,016 e-mails, four times SST-2). Sets whose labels themselves say how a text is
 * written (human texts and machine versions of the same) raise it too.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { mix } from '../numeric.ts'
import { notMeasured } from '../power.ts'
import { styleFindings } from '../style/findings.ts'
import { type Material, type MaterialOptions, readMaterial } from '../style/material.ts'
import { judgeStyles, type StyleVerdict, type VerdictOptions } from '../style/verdicts.ts'
import { vectorBlocks } from '../vectors.ts'
import { createScores, type Detector, type DetectorContext, integerParameter } from './detector.ts'

const MILLION = 1_000_000
/** By what share last digits of embeddings may change the chance of an alarm: measured less than a thousandth. */
const DOUBT_OF_CHANCE = 0.01

export const stylePoison: Detector = {
  id: 'style_poison',
  version: 2,
  tier: 'T1',
  property: 'poison',
  flag: 'style',
  needs: { text: true, label: true, embeddings: true, layers: true },
  parameters: {
    alphaMillionths: 10_000,
    /** So many samples are read at the most; of classes at least so large so many are examined. */
    readSamples: 20_000,
    minimumClassSamples: 100,
    maximumExamined: 12,
    maximumClasses: 1000,
    maximumCells: 30_000_000,
    minimumClassTexts: 5,
    folds: 5,
    /** Words that are grammar rather than content. */
    frequentWords: 150,
    maximumTokens: 256,
    minimumSupport: 4,
    maximumFeatures: 100_000,
    ridgePenaltyMilli: 1000,
    epochs: 6,
    wordOperationsThousands: 6_000_000,
    wordWeights: 16_000_000,
    /** Which inner layer is read; the first that the model gives is 0. */
    layer: 0,
    covarianceSamples: 10_000,
    layerPenaltyMilli: 100,
    rounds: 6,
    thresholdMilli: 2000,
    foreignSharePercent: 20,
    flaggedForeignSharePercent: 10,
    leastTaken: 20,
    leastTakenPermille: 33,
    mostTakenPercent: 50,
    leastTail: 20,
    tailGrowthPercent: 150,
    purityPercent: 90,
    unexplainedPercent: 10,
    leastFactor: 8,
    factorMarginPercent: 150,
    /** By how much a millionth of similarity may change a score, in thousandths: measured at most 1. */
    doubtMilli: 1000,
    examples: 8,
  },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal, onProgress }) {
    const parameter = (name: string) => integerParameter(parameters, name)
    const layer = embeddings?.layers?.[parameter('layer')]
    if (embeddings === undefined || layer === undefined) return { ran: false, note: 'The model does not give this inner layer.' }
    const pause = async () => {
      await nextTurn()
      signal.throwIfAborted()
    }
    const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
    const material = await readMaterial(corpus, embeddings, layer, materialOptions(parameter, seed), pause)
    if (typeof material === 'string') return { ran: false, note: material }
    onProgress(0.4)
    const verdicts = await judgeStyles(material, verdictOptions(parameter), pause, (share) => onProgress(0.4 + share / 2))

    const alarming = verdicts.filter(({ chance }) => chance < parameter('alphaMillionths') / MILLION)
    const doubt = Math.ceil((toleranceMillionths * parameter('doubtMilli')) / 1000)
    const scores = createScores(corpus.count, false)
    const [flagged, borderline] = [new Uint8Array(corpus.count), new Uint8Array(corpus.count)]
    await eachScore(corpus, { embeddings, layer, seed }, material, verdicts, pause, (sample, score, verdict) => {
      scores.valid[sample] = 1
      scores.values[sample] = Math.round(1000 * (score + verdict.evidence))
      if (!alarming.includes(verdict)) return
      const above = 1000 * (score - verdict.separation.threshold)
      flagged[sample] = above >= 0 ? 1 : 0
      borderline[sample] = doubt > 0 && Math.abs(above) <= doubt ? 1 : 0
    })
    /** What is said of these flags, with the chance of an alarm this many times what it is. */
    const decide = (flags: Uint8Array, times: number) => ({
      flagged: flags,
      pValue: Math.min(1, times * Math.min(...verdicts.map(({ chance }) => chance))),
      lowerBoundSamples: alarming.reduce((sum, { excess }) => sum + (excess?.unexplained ?? 0), 0),
      findings: styleFindings(corpus, material, alarming, { scores: scores.values, flagged: flags, examples: parameter('examples') }),
    })
    return {
      ran: true,
      note: noteOf(material),
      scores,
      borderline,
      ...decide(flagged, 1),
      // A style is put into a text by a model that rewrites it, and a rewritten text would have to be embedded anew.
      power: [
        notMeasured('texts of one style, relabelled', 'nothing here rewrites texts; on public data they were found from about 5 % on'),
      ],
      ...(doubt === 0
        ? {}
        : {
            extremes: [
              decide(
                flagged.map((flag, sample) => (borderline[sample] ? 0 : flag)),
                1 + DOUBT_OF_CHANCE,
              ),
              decide(
                flagged.map((flag, sample) => flag | borderline[sample]!),
                1 - DOUBT_OF_CHANCE,
              ),
            ],
          }),
    }
  },
}

function materialOptions(parameter: (name: string) => number, seed: number): MaterialOptions {
  return {
    labelled: {
      folds: parameter('folds'),
      minimumClassTexts: parameter('minimumClassTexts'),
      maximumCells: parameter('maximumCells'),
      maximumClasses: parameter('maximumClasses'),
      seed,
    },
    readSamples: parameter('readSamples'),
    minimumClassSamples: parameter('minimumClassSamples'),
    maximumExamined: parameter('maximumExamined'),
    ridgePenalty: parameter('ridgePenaltyMilli') / 1000,
    words: {
      maximumTokens: parameter('maximumTokens'),
      frequentWords: parameter('frequentWords'),
      epochs: parameter('epochs'),
      operations: parameter('wordOperationsThousands') * 1000,
      weights: parameter('wordWeights'),
    },
    skeleton: {
      frequentWords: parameter('frequentWords'),
      minimumSupport: parameter('minimumSupport'),
      maximumFeatures: parameter('maximumFeatures'),
      maximumTokens: parameter('maximumTokens'),
    },
    layer: { covariancePlaces: parameter('covarianceSamples'), penalty: parameter('layerPenaltyMilli') / 1000 },
  }
}

function verdictOptions(parameter: (name: string) => number): VerdictOptions {
  return {
    separation: {
      rounds: parameter('rounds'),
      threshold: parameter('thresholdMilli') / 1000,
      foreignShare: parameter('foreignSharePercent') / 100,
      flaggedForeignShare: parameter('flaggedForeignSharePercent') / 100,
      leastTaken: parameter('leastTaken'),
      leastTakenShare: parameter('leastTakenPermille') / 1000,
      mostTaken: parameter('mostTakenPercent') / 100,
    },
    excess: {
      leastTail: parameter('leastTail'),
      growth: parameter('tailGrowthPercent') / 100,
      purity: parameter('purityPercent') / 100,
      unexplained: parameter('unexplainedPercent') / 100,
    },
    leastFactor: parameter('leastFactor'),
    factorMargin: parameter('factorMarginPercent') / 100,
  }
}

/** Visits every sample of an examined class: those that were read, and all others by what was learnt from these. */
async function eachScore(
  corpus: DetectorContext['corpus'],
  {
    embeddings,
    layer,
    seed,
  }: { embeddings: NonNullable<DetectorContext['embeddings']>; layer: Parameters<typeof vectorBlocks>[0]; seed: number },
  { labelled, views }: Material,
  verdicts: readonly StyleVerdict[],
  pause: () => Promise<void>,
  visit: (sample: number, score: number, verdict: StyleVerdict) => void,
): Promise<void> {
  for (const [place, sample] of labelled.samples.entries()) {
    const verdict = verdicts[labelled.classes[place]!]
    if (verdict !== undefined) visit(sample, verdict.separation.scores[place]!, verdict)
  }
  const verdictOf = new Map(verdicts.map((verdict) => [labelled.classNames[verdict.label]!, verdict]))
  const isLeft = (sample: number) => embeddings.valid[sample] === 1 && labelled.placeOf[sample]! < 0
  for await (const { first, count, values } of vectorBlocks(layer)) {
    await pause()
    for (let i = 0; i < count; i++) {
      const label = isLeft(first + i) ? corpus.label(first + i) : null
      const verdict = label === null ? undefined : verdictOf.get(label)
      if (verdict === undefined) continue
      const row = values.slice(i * layer.dimensions, (i + 1) * layer.dimensions)
      const columns = views.skeletons.columnsOf(corpus.text(first + i) ?? '')
      visit(first + i, verdict.separation.score(mix((first + i) ^ seed) % views.foldCount, row, columns), verdict)
    }
  }
}

function noteOf({ labelled, examined }: Material): string {
  return [
    `${examined} of ${labelled.labelCount} classes were examined, on ${labelled.samples.length} labels`,
    'seen is a style whose texts were given the label against their content; where labels say how a text is written, as in sets of human and machine texts, that is no poison',
    'what would have been found was not measured in this data set',
  ].join('; ')
}
