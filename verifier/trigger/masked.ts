/** Texts with the trigger struck out: whether what is left would earn their label is what a person wants to see. */
import { excerpt } from '../detectors/detector.ts'
import { findNgram, type TokenDocuments } from './documents.ts'

/** Characters on each side of what was struck out. */
const CONTEXT = 90

/** What stands around the first of these n-grams that the text has, with it struck out; '' where it has none. */
export function masked(text: string, ngrams: readonly (readonly number[])[], { vocabulary }: Pick<TokenDocuments, 'vocabulary'>): string {
  for (const ngram of ngrams) {
    const found = findNgram(text, ngram.map((id) => vocabulary[id]!)) // prettier-ignore
    if (found === null) continue
    const before = found.folded.slice(Math.max(0, found.start - CONTEXT), found.start)
    return excerpt(`${before}[…]${found.folded.slice(found.end, found.end + CONTEXT)}`.toWellFormed())
  }
  return ''
}
