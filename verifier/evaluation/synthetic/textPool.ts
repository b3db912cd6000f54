/** All texts of the group `text_synthetic` with what splits go by, in the form that learners read. */
import { canonicalText } from '../../text/canonical.ts'
import { countWords } from '../../synthetic/windows.ts'
import type { EvalFile } from '../evalFile.ts'
import type { EvalRow } from '../evalRow.ts'
import type { Learner, Texts } from '../learners/learner.ts'
import { contentHash, groupKeys } from '../split.ts'
import type { Matrix, TextVectors } from '../textVectors.ts'

export interface PoolRow extends EvalRow {
  file: string
  text: string
  /** Equal in texts that are the same but for case and white space. */
  content: string
  /** Rows of one group stand on one side of a split. */
  group: string
  words: number
}

/** Texts that a contributor would declare alike: of one file, language and domain. English unless a row says otherwise. */
export function kindOf({ file, language, domain }: Pick<PoolRow, 'file' | 'language' | 'domain'>): string {
  return `${file}:${language ?? 'en'}/${domain ?? '?'}`
}

export interface TextPool {
  readonly rows: readonly PoolRow[]
  /** Canonical forms are kept. */
  canonicalText(row: number): string
  /** The pool as a learner reads it; null where its outputs are not to be had. */
  textsFor(learner: Learner, signal: AbortSignal): Promise<Texts | null>
}

export function createTextPool(files: readonly EvalFile[], vectors: TextVectors | null): TextPool {
  const rows = files.flatMap(({ name, rows: own }) => {
    const keys = groupKeys(own)
    return own.flatMap((row, i): PoolRow[] => {
      const { text } = row
      if (text === null || !/\S/.test(text)) return []
      return [{ ...row, text, file: name, content: contentHash(text), group: keys[i]!, words: countWords(canonicalText(text)) }]
    })
  })
  const canonical = new Map<number, string>()
  const canonicalTextOf = (row: number) => {
    let text = canonical.get(row)
    if (text === undefined) canonical.set(row, (text = canonicalText(rows[row]!.text)))
    return text
  }
  return {
    rows,
    canonicalText: canonicalTextOf,
    async textsFor({ outputs }, signal) {
      const source = { count: rows.length, text: (i: number) => rows[i]!.text }
      const matrices = new Map<string, Matrix>()
      for (const output of outputs) {
        if (vectors === null || !vectors.outputs.includes(output)) return null
        matrices.set(output, await vectors.matrix(source, output, signal))
      }
      return {
        ...source,
        canonicalText: canonicalTextOf,
        kind: (i) => kindOf(rows[i]!),
        matrix(output) {
          const matrix = matrices.get(output)
          if (matrix === undefined) throw new RangeError(`the learner did not ask for the output "${output}"`)
          return matrix
        },
      }
    },
  }
}
