/**
 * The numbers of a text: runs of ASCII letters and digits that hold a digit, found in one pass. Everything that has to be looked at
 * closely (cards, identity numbers, telephone numbers, addresses) begins with one, and most texts have few.
 */

const DIGIT = 1
const LETTER = 2

const CLASSES = Uint8Array.from({ length: 128 }, (_, unit) => {
  if (unit >= 0x30 && unit <= 0x39) return DIGIT
  return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a) ? LETTER : 0
})

export interface NumberTokens {
  starts: number[]
  ends: number[]
  /** Of each token: whether all of it is digits. */
  plain: boolean[]
}

/** The tokens in order. */
export function numberTokens(text: string): NumberTokens {
  const found: NumberTokens = { starts: [], ends: [], plain: [] }
  const { length } = text
  for (let i = 0; i < length; i++) {
    let kind = classOf(text.charCodeAt(i))
    if (kind === 0) continue
    const start = i
    let kinds = 0
    do {
      kinds |= kind
      kind = ++i < length ? classOf(text.charCodeAt(i)) : 0
    } while (kind !== 0)
    if ((kinds & DIGIT) === 0) continue
    found.starts.push(start)
    found.ends.push(i)
    found.plain.push(kinds === DIGIT)
  }
  return found
}

function classOf(unit: number): number {
  return unit < 128 ? CLASSES[unit]! : 0
}

export function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

/** A run of numbers with little between them, such as `390.533.447-05`. */
export interface NumberRun {
  /** Lengths of its numbers and what stands between them: `3.3.3-2`. */
  shape: string
  digits: string
  start: number
  end: number
  /** How many tokens it takes. */
  tokens: number
}

/** Numbers of a run, at most: French social security numbers have seven. */
const LONGEST_RUN = 8
const LONGEST_GAP = 2
/** Single digits in a row are a table's or a list's. */
const LEAST_MEAN_DIGITS = 1.5
const GAP = /^[ .\-/()]+$/

/** The runs of plain numbers that begin with token `first`, longest first; none where all of them have fewer than `leastDigits`. */
export function numberRuns(text: string, { starts, ends, plain }: NumberTokens, first: number, leastDigits: number): NumberRun[] {
  const runs: NumberRun[] = []
  let [shape, digits] = ['', '']
  for (let token = first; token < starts.length && token < first + LONGEST_RUN && plain[token]; token++) {
    const [start, end] = [starts[token]!, ends[token]!]
    if (token > first) {
      const gapLength = start - ends[token - 1]!
      const gap = gapLength > LONGEST_GAP ? '' : text.slice(ends[token - 1]!, start)
      if (!GAP.test(gap)) break
      shape += gap
    }
    if (end - start > MOST_DIGITS) break
    shape += end - start
    digits += text.slice(start, end)
    if (digits.length > MOST_DIGITS) break
    const tokens = token - first + 1
    if (digits.length >= leastDigits && digits.length >= LEAST_MEAN_DIGITS * tokens)
      runs.push({ shape, digits, start: starts[first]!, end, tokens })
  }
  return runs.reverse()
}

/** No number of a person has more. */
const MOST_DIGITS = 20
