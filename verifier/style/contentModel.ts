/** What the content of each sample says of one class: several views of it joined by logistic regression to a calibrated probability. */
import { exp, ln, sigmoid } from '../numeric.ts'
import { solveSymmetric } from '../labels/cholesky.ts'

const STEPS = 20
/** Newton's steps are no longer than this in any coordinate. */
const LONGEST_STEP = 2
const PENALTY = 1e-3

/** The probability of a class at each place, given the class' score in each of the views (out of fold), and which places have it. */
export function calibrate(views: readonly Float64Array[], isMember: Uint8Array): Float64Array<ArrayBuffer> {
  const size = views.length + 1
  const weights = new Float64Array(size)
  const row = new Float64Array(size).fill(1)
  const logitAt = (place: number) => {
    let logit = weights[size - 1]!
    for (let i = 0; i < views.length; i++) logit += weights[i]! * (row[i] = views[i]![place]!)
    return logit
  }
  for (let step = 0; step < STEPS; step++) {
    const gradient = Float64Array.from(weights, (weight) => -PENALTY * weight)
    const hessian = new Float64Array(size * size)
    for (let i = 0; i < size; i++) hessian[i * size + i] = PENALTY
    for (let place = 0; place < isMember.length; place++) {
      const p = sigmoid(logitAt(place))
      for (let i = 0; i < size; i++) {
        gradient[i]! += (isMember[place]! - p) * row[i]!
        for (let j = 0; j <= i; j++) hessian[i * size + j]! += p * (1 - p) * row[i]! * row[j]!
      }
    }
    solveSymmetric(hessian, gradient, size, 1)
    for (let i = 0; i < size; i++) weights[i]! += Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, gradient[i]!))
  }
  return Float64Array.from(isMember, (_, place) => sigmoid(logitAt(place)))
}

/** A class' score at each place against all other classes together, of scores before a softmax: places × classes. */
export function againstOthers(scores: Float32Array, classCount: number, label: number): Float64Array {
  return Float64Array.from({ length: scores.length / classCount }, (_, place) => {
    let most = -Infinity
    for (let c = 0; c < classCount; c++) if (c !== label) most = Math.max(most, scores[place * classCount + c]!)
    let sum = 0
    for (let c = 0; c < classCount; c++) if (c !== label) sum += exp(scores[place * classCount + c]! - most)
    return scores[place * classCount + label]! - most - ln(sum)
  })
}
