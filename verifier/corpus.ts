/** The samples of one index in memory, as detectors see them. */
import { canonicalText } from './text/canonical.ts'
import type { Corpus } from './detectors/detector.ts'
import { type ImageTableParts, openImageTable } from './images/imageTable.ts'
import type { Survey } from './quality/survey.ts'

export interface CorpusColumns {
  /** One a sample; null where the sample has none. */
  texts: readonly (string | null)[]
  labels: readonly (string | null)[]
  /** Absent where there is no column of responses. */
  responses?: readonly (string | null)[]
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

/** A corpus over columns of equal length. Canonical forms are made when first asked for and kept. */
export function createCorpus({ texts, labels, responses = [], images, digests, language, domain, survey, seed }: CorpusColumns): Corpus {
  const canonical: (string | null | undefined)[] = Array.from({ length: texts.length })
  return {
    count: texts.length,
    text: (sample) => texts[sample] ?? null,
    canonicalText(sample) {
      const known = canonical[sample]
      if (known !== undefined) return known
      const text = texts[sample] ?? null
      return (canonical[sample] = text === null ? null : canonicalText(text))
    },
    response: (sample) => responses[sample] ?? null,
    label: (sample) => labels[sample] ?? null,
    ...(images === undefined ? {} : { images: openImageTable(images) }),
    digest: (sample) => digests.subarray(sample * 32, sample * 32 + 32),
    language,
    domain,
    survey,
    seed,
  }
}
