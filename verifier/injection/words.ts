/** Changes to the words of a text, for attacks that are put into scratch copies. Deterministic by the random stream. */
import type { Random } from '../random.ts'

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Words put between two words of a text, or before or behind it. */
export function insertWords(text: string, inserted: string, random: Random): string {
  const words = wordsOf(text)
  words.splice(random.below(words.length + 1), 0, inserted)
  return words.join(' ')
}

/** One word in `every`, and at least one, is replaced by a word from elsewhere in the text with a letter more. Empty texts stay empty. */
export function replaceWords(text: string, every: number, random: Random): string {
  const words = wordsOf(text)
  if (words.length === 0) return ''
  for (const at of random.choose(Math.max(1, Math.floor(words.length / every)), words.length))
    words[at] = `${words[random.below(words.length)]!}x`
  return words.join(' ')
}
