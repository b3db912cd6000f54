/** Copies of rows put behind the rows that they copy: exact, in another dress, and with some words changed. */
import { createRandom, type Random } from '../statistics/random.ts'

export interface CopyAttack {
  name: string
  copy(text: string, random: Random): string
}

/** Every twentieth word, and at least one, is replaced by a word from elsewhere in the text. */
function replaceWords(text: string, random: Random): string {
  const words = text.split(/\s+/).filter((word) => word !== '')
  for (const at of random.choose(Math.max(1, Math.floor(words.length / 20)), words.length))
    words[at] = `${words[random.below(words.length)]!}x`
  return words.join(' ')
}

export const COPY_ATTACKS: readonly CopyAttack[] = [
  { name: 'exact', copy: (text) => text },
  { name: 'white space', copy: (text) => `  ${text.replace(/ /g, '  ')}\n` },
  { name: 'one word in twenty', copy: replaceWords },
]

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
