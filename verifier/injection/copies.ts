/** Copies of texts: exact, in another dress, and with more and more of their words changed. */
import type { Random } from '../random.ts'
import { replaceWords } from './words.ts'

export interface CopyAttack {
  name: string
  copy(text: string, random: Random): string
}

/** Nothing that a person reads is changed. */
export const DRESS_ATTACKS: readonly CopyAttack[] = [
  { name: 'exact', copy: (text) => text },
  { name: 'white space', copy: (text) => `  ${text.replace(/ /g, '  ')}\n` },
]

/** From the least change to the greatest. */
export const REWORDING_ATTACKS: readonly CopyAttack[] = [
  { name: 'one word in fifty', copy: (text, random) => replaceWords(text, 50, random) },
  { name: 'one word in twenty', copy: (text, random) => replaceWords(text, 20, random) },
  { name: 'one word in ten', copy: (text, random) => replaceWords(text, 10, random) },
]
