/** Pieces of a text of about the same number of words, so that a probe compares like with like and padding does not dilute. */
import { eachToken, isWordUnit } from '../text/tokens.ts'

export const LEAST_WORDS = 50
export const WINDOW_WORDS = 250

/** Non-overlapping windows of 250 words; the rest as one more where it has at least 50. None for texts of fewer than 50 words. */
export function windows(text: string): string[] {
  const found: string[] = []
  let words = 0
  let start = 0
  eachToken(text, (from, to) => {
    if (!isWordUnit(text.charCodeAt(from)) || ++words < WINDOW_WORDS) return
    found.push(text.slice(start, to))
    start = to
    words = 0
  })
  if (words >= LEAST_WORDS) found.push(text.slice(start))
  return found
}

/** Words of a text, marks not counted. */
export function countWords(text: string): number {
  let words = 0
  eachToken(text, (from) => {
    if (isWordUnit(text.charCodeAt(from))) words++
  })
  return words
}
