/** What the nearest others say of the class: a vote in which nearer ones count more, as the logarithm of a smoothed share. */
import type { Neighbours } from '../detectors/detector.ts'
import { exp, ln } from '../numeric.ts'
import type { LabelledSamples } from './labelledSamples.ts'

export interface VoteOptions {
  voters: number
  /** How fast a vote falls with similarity: as e^(sharpness · similarity), less that of the first who has no vote, so that none comes or goes at once. */
  sharpness: number
  /** What the vote of each place counts, 0 … 1. */
  trust: Float64Array
}

export interface Vote {
  /** places × classes. */
  scores: Float32Array
  /** places × voterCount: sample numbers, nearest first; −1 where there are fewer. */
  voters: Int32Array
  voterCount: number
}

/** What a vote adds for every class, in voters. */
const PRIOR = 0.5

export async function neighbourVote(
  labelled: LabelledSamples,
  neighbours: Neighbours,
  { voters: voterCount, sharpness, trust }: VoteOptions,
): Promise<Vote> {
  const { placeOf, classes, classNames } = labelled
  const classCount = classNames.length
  const places = labelled.samples.length
  const scores = new Float32Array(places * classCount)
  const voters = new Int32Array(places * voterCount).fill(-1)
  const { k } = neighbours
  for await (const { first, count, samples, similarities } of neighbours.blocks())
    for (let i = 0; i < count; i++) {
      const place = placeOf[first + i]!
      if (place < 0) continue
      const votes = new Float64Array(classCount).fill(PRIOR / classCount)
      const near: { sample: number; similarity: number }[] = []
      for (let at = i * k; at < (i + 1) * k && near.length <= voterCount && samples[at]! >= 0; at++)
        if (placeOf[samples[at]!]! >= 0) near.push({ sample: samples[at]!, similarity: similarities[at]! })
      const weightOf = (similarity: number) => exp(sharpness * (similarity - near[0]!.similarity))
      const threshold = near.length > voterCount ? weightOf(near[voterCount]!.similarity) : 0
      let sum = 0
      for (const [rank, { sample, similarity }] of near.slice(0, voterCount).entries()) {
        const weight = trust[placeOf[sample]!]! * (weightOf(similarity) - threshold)
        votes[classes[placeOf[sample]!]!]! += weight
        sum += weight
        voters[place * voterCount + rank] = sample
      }
      for (let c = 0; c < classCount; c++) scores[place * classCount + c] = ln(votes[c]! / (sum + PRIOR))
    }
  return { scores, voters, voterCount }
}
