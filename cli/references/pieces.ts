/** Long texts cut into pieces of as many words as what they will be compared with. */

/** Least words of the pieces, in turn: about as many in each class of length that detectors tell apart. */
const LEAST_WORDS = [60, 85, 110, 145, 190, 220]
const MOST_WORDS = 250

const BETWEEN_SENTENCES =
  /(?<=[A-Za-z\d%][.?!]["')]?)(?<!\b(?:Mr|Mrs|Ms|Dr|St|Gen|Sen|Rep|Gov|Col|Lt|No|Jr|vs|[A-Z]|U\.S|U\.N)\.) (?=["'(]?[A-Z])/

/**
 * Gives a function that cuts one text after another: consecutive sentences put together until they have the words that are due, and what is
 * left over where it has the least of all. What is too long is left out.
 */
export function createCutter(): (text: string) => string[] {
  let made = 0
  return (text) => {
    const pieces: string[] = []
    const sentences = text.replace(/\s+/g, ' ').trim().split(BETWEEN_SENTENCES)
    let taken: string[] = []
    for (const [i, sentence] of sentences.entries()) {
      taken.push(sentence)
      const piece = taken.join(' ')
      const words = piece.split(' ').length
      const due = i === sentences.length - 1 ? LEAST_WORDS[0]! : LEAST_WORDS[made % LEAST_WORDS.length]!
      if (words < due) continue
      taken = []
      if (words > MOST_WORDS) continue
      pieces.push(piece)
      made++
    }
    return pieces
  }
}
