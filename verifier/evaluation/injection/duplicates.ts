/** Copies of rows put behind the rows that they copy. */
import type { CopyAttack } from '../../injection/copies.ts'
import { createRandom } from '../../random.ts'

/** The rows with copies of some at their end; 1 for copies. */
export function injectCopies<Row extends { text: string | null }>(
  rows: readonly Row[],
  attack: CopyAttack,
  share: number,
  seed: number,
): { rows: Row[]; copied: Uint8Array } {
  const random = createRandom(`copy ${attack.name} ${share} ${seed}`)
  const texts = [...rows.keys()].filter((row) => rows[row]!.text !== null)
  const copies = random.choose(Math.round(share * rows.length), texts.length).map((choice): Row => {
    const row = rows[texts[choice]!]!
    return { ...row, text: attack.copy(row.text!, random) }
  })
  const copied = new Uint8Array(rows.length + copies.length)
  copied.fill(1, rows.length)
  return { rows: [...rows, ...copies], copied }
}
