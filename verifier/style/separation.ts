/**
 * Samples of one class that are written alike and unlike those of the other classes, and whose label their content does not bear out. Two
 * views of how a text is written teach each other (co-training): features of its skeleton, and an inner layer of the model. Each round takes
 * the class's samples that score highest, as long as few samples of other classes do, weighs them by how little their content explains
 * their label, and learns in both views what sets them apart. A sample is always scored by what was learnt outside of its fold.
 */
import { ln } from '../numeric.ts'
import { type Membership, take, type TakingOptions, thresholdOf } from './taking.ts'
import { scoreInLayer, scoreInSkeleton, sumOf, sumsOutside, totalsOutside, type Views } from './views.ts'

export interface SeparationOptions extends TakingOptions {
  rounds: number
  /** z of a skeleton feature, below which it counts nothing; what is above counts by how much it is above. */
  threshold: number
  /** The class's samples are flagged as far down as the samples of other classes are this share of them. */
  flaggedForeignShare: number
}

export interface Separation {
  /** Of each place: the sum of both views' scores, in standard deviations of the other classes. */
  scores: Float64Array
  /** Places by score, highest first. */
  order: Int32Array
  /** The score from which on the class's samples are to be flagged. */
  threshold: number
  /** Of a text that was not fitted on, by what was learnt outside of `fold`: a raw row of the layer (overwritten) and features of its skeleton. */
  score: (fold: number, row: Float32Array, columns: Int32Array) => number
}

/** What was learnt outside of a fold. */
interface Learnt {
  direction: Float64Array
  featureWeights: Float64Array
}

/** The content model is trusted no further than this. */
const LEAST_PROBABILITY = 0.02
/** Added to the deviation of the skeleton's scores, which is 0 where no other text has any of the features. */
const SKELETON_DEVIATION = 0.5
const LEAST_DEVIATION = 1e-9

/** Separates the class `label`. `pause` is waited for now and then: it may throw to stop. */
export async function separate(
  views: Views,
  label: number,
  { isMember, probabilities }: Membership,
  options: SeparationOptions,
  pause: () => Promise<void>,
): Promise<Separation> {
  const { folds, layer, skeletons } = views
  const p = probabilities.map((chance) => Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, chance)))
  const membership = { isMember, probabilities: p }
  const outside = layer.outside(label)
  // Overlap weights: so weighted, both sides have the same content on average.
  const foreignSums = sumsOutside(
    views,
    p.map((chance, place) => (isMember[place] ? 0 : chance)),
  )
  const foreignCounts = totalsOutside(
    views,
    isMember.map((bit) => 1 - bit),
  )
  const learn = (taken: Float64Array<ArrayBuffer>): Learnt[] => {
    const counts = totalsOutside(views, taken)
    return sumsOutside(
      views,
      taken.map((share, place) => share * (1 - p[place]!)),
    ).map((own, fold) => {
      const foreign = foreignSums[fold]!
      const direction = own.layer.map((sum, i) => sum / atLeast(own.weight) - foreign.layer[i]! / atLeast(foreign.weight))
      outside.direct(direction)
      const featureWeights = logOdds({ ...own, count: counts[fold]! }, { ...foreign, count: foreignCounts[fold]! }, options.threshold)
      return { direction, featureWeights }
    })
  }

  let scores = scanScores(views, membership, options.threshold)
  let learnt: Learnt[] = []
  let [inLayer, inSkeleton]: Moments[] = []
  for (let round = 0; round < options.rounds; round++) {
    await pause()
    learnt = learn(take(scores, membership, options))
    const byLayer = scores.map((_, place) => scoreInLayer(learnt[folds[place]!]!.direction, layer.values, place * layer.dimensions))
    const bySkeleton = scores.map((_, place) => scoreInSkeleton(learnt[folds[place]!]!.featureWeights, skeletons, place))
    const [a, b] = [momentsOf(byLayer, isMember), withSpread(momentsOf(bySkeleton, isMember))]
    scores = scores.map((_, place) => standard(byLayer[place]!, a) + standard(bySkeleton[place]!, b))
    ;[inLayer, inSkeleton] = [a, b]
  }
  return {
    scores,
    order: Int32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b),
    threshold: thresholdOf(scores, membership, options.flaggedForeignShare),
    score(fold, row, columns) {
      const { direction, featureWeights } = learnt[fold]!
      layer.standardise(row)
      const skeleton = columns.reduce((sum, column) => sum + featureWeights[column]!, 0)
      return standard(scoreInLayer(direction, row, 0), inLayer!) + standard(skeleton, inSkeleton!)
    },
  }
}

/** Scores to begin with: of each place the z of its skeleton's features, above the threshold, of their labels against what content expects. */
function scanScores(views: Views, { isMember, probabilities: p }: Membership, threshold: number): Float64Array<ArrayBuffer> {
  const { folds, foldCount, skeletons } = views
  const { offsets, columns, featureCount } = skeletons
  const excess = Array.from({ length: foldCount }, () => new Float64Array(featureCount))
  const variance = Array.from({ length: foldCount }, () => new Float64Array(featureCount))
  for (let place = 0; place < p.length; place++) {
    const [toExcess, toVariance] = [excess[folds[place]!]!, variance[folds[place]!]!]
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      toExcess[columns[i]!]! += isMember[place]! - p[place]!
      toVariance[columns[i]!]! += p[place]! * (1 - p[place]!)
    }
  }
  const [allExcess, allVariance] = [sumOf(excess), sumOf(variance)]
  const weights = excess.map((own, fold) =>
    own.map((sum, column) => {
      const rest = allVariance[column]! - variance[fold]![column]!
      return rest > LEAST_DEVIATION ? Math.max(0, (allExcess[column]! - sum) / Math.sqrt(rest) - threshold) : 0
    }),
  )
  const scores = p.map((_, place) => scoreInSkeleton(weights[folds[place]!]!, skeletons, place))
  const moments = withSpread(momentsOf(scores, isMember))
  return scores.map((score) => standard(score, moments))
}

interface Side {
  /** Weighted, by feature. */
  skeleton: Float64Array
  weight: number
  /** How many samples the weights stand for. */
  count: number
}

/** Log-odds of features that are more frequent on one side than on the other, shrunk by `threshold` of their standard deviations. */
function logOdds(own: Side, foreign: Side, threshold: number): Float64Array {
  const ownScale = own.count / atLeast(own.weight)
  const foreignScale = foreign.count / atLeast(foreign.weight)
  return own.skeleton.map((sum, column) => {
    const had = sum * ownScale
    const foreignHad = foreign.skeleton[column]! * foreignScale
    const expected = ((foreignHad + 0.5) / (foreign.count + 1)) * own.count
    const z = (had - expected) / Math.sqrt(expected + 0.5)
    if (!(z > threshold)) return 0
    return ln(((had + 0.5) / (own.count + 1)) * ((foreign.count + 1) / (foreignHad + 0.5))) * (1 - threshold / z)
  })
}

interface Moments {
  mean: number
  deviation: number
}

/** Of the places that are not members. */
function momentsOf(values: Float64Array, isMember: Uint8Array): Moments {
  let [count, sum, squares] = [0, 0, 0]
  for (let place = 0; place < values.length; place++) {
    if (isMember[place]) continue
    count++
    sum += values[place]!
  }
  const mean = sum / Math.max(1, count)
  for (let place = 0; place < values.length; place++) if (!isMember[place]) squares += (values[place]! - mean) * (values[place]! - mean)
  return { mean, deviation: Math.sqrt(squares / Math.max(1, count)) }
}

function withSpread({ mean, deviation }: Moments): Moments {
  return { mean, deviation: deviation + SKELETON_DEVIATION }
}

function standard(value: number, { mean, deviation }: Moments): number {
  return (value - mean) / atLeast(deviation)
}

function atLeast(value: number): number {
  return Math.max(LEAST_DEVIATION, value)
}
