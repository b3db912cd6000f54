/** The samples of one index in memory, as detectors see them. */
import { canonicalText } from './text/canonical.ts'
import type { Corpus } from './detectors/detector.ts'
import { type ImageTableParts, openImageTable } from './images/imageTable.ts'
import type { Survey } from './quality/survey.ts'
import { createTextTable, openTexts, type Texts, type TextTableParts } from './text/textTable.ts'

export interface CorpusColumns {
  /** One a sample; null where the sample has none. */
  texts: readonly (string | null)[] | TextTableParts
  labels: readonly (string | null)[]
  /** Absent where there is no column of responses. */
  responses?: readonly (string | null)[] | TextTableParts
  /** Absent where there is no column of images. */
  images?: ImageTableParts | undefined
  /** count × 32 bytes. */
  digests: Uint8Array
  language: string | null
  domain: string | null
  /** Where all columns were looked at. */
  survey?: Survey | undefined
  /** 32 bytes. */
  seed: Uint8Array
}

/** A corpus over columns of equal length. */
export function createCorpus({ texts, labels, responses = [], images, digests, language, domain, survey, seed }: CorpusColumns): Corpus {
  const published = openTexts(texts)
  const answers = openTexts(responses)
  return {
    count: published.count,
    text: (sample) => published.at(sample),
    canonicalText: canonicalForms(published),
    response: (sample) => answers.at(sample),
    label: (sample) => labels[sample] ?? null,
    ...(images === undefined ? {} : { images: openImageTable(images) }),
    digest: (sample) => digests.subarray(sample * 32, sample * 32 + 32),
    language,
    domain,
    survey,
    seed,
  }
}

/** Whether a sample has a text. */
export function hasText({ count, text }: Pick<Corpus, 'count' | 'text'>): boolean {
  for (let sample = 0; sample < count; sample++) if (text(sample) !== null) return true
  return false
}

/** Canonical forms, made when first asked for; those that differ from their texts are kept. */
function canonicalForms({ count, at }: Texts): (sample: number) => string | null {
  const kept = createTextTable()
  /** Of each text the number of its form, plus one; −1 where it is its own, 0 where none was made yet. */
  const forms = new Int32Array(count)
  return (sample) => {
    const form = forms[sample]!
    if (form > 0) return kept.at(form - 1)
    const text = at(sample)
    if (text === null || form === -1) return text
    const canonical = canonicalText(text)
    forms[sample] = canonical === text ? -1 : kept.push(canonical) + 1
    return canonical
  }
}
