/**
 * Tokens of a fixed number of characters of a data set, whole texts in the order of a hash: figures of diversity depend on how much text
 * they are taken of, so that all are taken of the same amount.
 */
import { earlySamples } from '../earlySamples.ts'
import { eachToken } from '../text/tokens.ts'

export interface TextSample {
  /** Texts that were drawn, in canonical form and lower case. */
  texts: string[]
  /** Numbers of their samples. */
  samples: number[]
  characters: number
}

/** Characters of one text that are taken, so that no text is the sample. */
const LONGEST_TEXT = 4000

/** Texts that are put in order at first: of large sets only those whose hash comes early. */
const FIRST_ORDERED = 16_384

/** Draws texts until there are so many characters. `textOf` gives canonical texts. */
export function drawTexts(count: number, textOf: (sample: number) => string | null, characters: number, seed: number): TextSample {
  for (let ordered = FIRST_ORDERED; ; ordered *= 4) {
    const drawn: TextSample = { texts: [], samples: [], characters: 0 }
    for (const sample of earlySamples(count, seed, ordered)) {
      if (drawn.characters >= characters) return drawn
      const text = textOf(sample)?.slice(0, LONGEST_TEXT).toLowerCase() ?? ''
      if (text === '') continue
      drawn.texts.push(text)
      drawn.samples.push(sample)
      drawn.characters += text.length
    }
    if (drawn.characters >= characters || ordered >= count) return drawn
  }
}

/** The tokens of a text as numbers: the same number for the same token, in the order of first sight. */
export function createVocabulary(): (text: string) => number[] {
  const numbers = new Map<string, number>()
  return (text) => {
    const found: number[] = []
    eachToken(text, (start, end) => {
      const token = text.slice(start, end)
      let number = numbers.get(token)
      if (number === undefined) numbers.set(token, (number = numbers.size))
      found.push(number)
    })
    return found
  }
}
