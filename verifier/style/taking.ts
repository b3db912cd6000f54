/** Which samples of a class are taken for written alike, given scores of all samples: those above which few samples of other classes are. */
import { ramp, scoreOf, type Tail, tailOf, valueAt } from './tails.ts'

export interface TakingOptions {
  /** Samples are taken as far down as, weighted by content, the other classes' samples that score as high are this share of the class's own. */
  foreignShare: number
  /** At least so many samples are taken, and this share of the class; at most that share. */
  leastTaken: number
  leastTakenShare: number
  mostTaken: number
}

/** A class among all samples. */
export interface Membership {
  /** 1 for places of the class. */
  isMember: Uint8Array
  /** What the content gives to the class. */
  probabilities: Float64Array<ArrayBuffer>
}

/** Bounds are ramps of this width, so that no last digit of a score decides. */
const SOFTNESS = 1.25
const LEAST_WEIGHT = 1e-9

/** By what share each place is taken; 0 for all that are not members. */
export function take(scores: Float64Array<ArrayBuffer>, membership: Membership, options: TakingOptions): Float64Array<ArrayBuffer> {
  const { isMember } = membership
  const { foreignShare, leastTaken, leastTakenShare, mostTaken } = options
  const size = isMember.reduce((sum, bit) => sum + bit, 0)
  const most = size * mostTaken
  const least = Math.min(most, Math.max(leastTaken, size * leastTakenShare))
  const { members, foreign } = purityOf(scores, membership)
  const shares = new Float64Array(members.length)
  // A score is high enough where some lower one is: the share need not rise steadily.
  let best = 0
  for (let point = 0; point < shares.length; point++) {
    const count = members[point]!
    if (count >= leastTaken)
      best = Math.max(best, ramp(foreign[point]!, foreignShare / SOFTNESS, foreignShare) * ramp(count, most, most * SOFTNESS))
    shares[point] = Math.max(best, ramp(count, least, least * SOFTNESS))
  }
  return scores.map((score, place) => (isMember[place] ? valueAt(shares, score) : 0))
}

/** The lowest score above which samples of other classes are at most this share; infinite where there is none. */
export function thresholdOf(scores: Float64Array, membership: Membership, foreignShare: number): number {
  const { members, foreign } = purityOf(scores, membership)
  const point = foreign.findIndex((share, at) => share <= foreignShare && members[at]! >= 1)
  return point < 0 ? Infinity : scoreOf(point)
}

/** How many members score above each point of the grid, and what is foreign for each of them, weighted by content. */
function purityOf(scores: Float64Array, { isMember, probabilities }: Membership): { members: Tail; foreign: Tail } {
  const own = tailOf(scores, (place) => (isMember[place] ? 1 - probabilities[place]! : 0))
  const others = tailOf(scores, (place) => (isMember[place] ? 0 : probabilities[place]!))
  return {
    members: tailOf(scores, (place) => isMember[place]!),
    foreign: others.map((sum, point) => sum / Math.max(LEAST_WEIGHT, own[point]!)),
  }
}
