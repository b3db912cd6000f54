/** A place in a text that holds something of a person, or a key: what it is and where, never the value itself. */

export interface Match {
  kind: string
  /** Which of its kind: the country of an identity number, the issuer of a key. */
  detail?: string
  /** UTF-16 range in the text. */
  start: number
  end: number
}

const MASK = '…'

/** What may be shown of a value: at most a fifth of it at either end and no more than four characters, the rest is an ellipsis. */
export function masked(value: string): string {
  const characters = Array.from(value)
  const shown = Math.min(4, Math.floor(characters.length / 5))
  return characters.slice(0, shown).join('') + MASK + (shown === 0 ? '' : characters.slice(-shown).join(''))
}
