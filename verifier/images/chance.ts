/** Upper bounds of chances by Chernoff, as logarithms. */
import { ln } from '../numeric.ts'

/** Of k or more successes in n trials of probability p: −n · KL(k/n ‖ p); 0 where k is no more than expected. */
export function logBinomialTail(n: number, k: number, p: number): number {
  const share = k / n
  if (share <= p) return 0
  const rest = k === n ? 0 : (n - k) * ln((1 - share) / (1 - p))
  return -(k * ln(share / p) + rest)
}

/** Of n or more where `mean` are expected (Poisson); 0 where n is no more. */
export function logPoissonTail(n: number, mean: number): number {
  return n <= mean ? 0 : n - mean - n * ln(n / mean)
}
