/**
 * The numbers of a text: runs of ASCII letters and digits that hold a digit, found in one pass. Everything that has to be looked at
 * closely (cards, identity numbers, telephone numbers, addresses) begins with one, and most texts have few.
 */

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
    if (!isDigit(text.charCodeAt(i))) continue
    let start = i
    let plain = true
    while (start > 0 && isLetter(text.charCodeAt(start - 1))) start--
    if (start < i) plain = false
    for (let unit = 0; i < length; i++) {
      unit = text.charCodeAt(i)
      if (isDigit(unit)) continue
      if (!isLetter(unit)) break
      plain = false
    }
    found.starts.push(start)
    found.ends.push(i)
    found.plain.push(plain)
  }
  return found
}

/** Of ASCII. */
function isLetter(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)
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

/** The runs of plain numbers that begin with token `first`, longest first; none where all of them have fewer than `leastDigits`. */
export function numberRuns(text: string, tokens: NumberTokens, first: number, leastDigits: number): NumberRun[] {
  const { starts, ends } = tokens
  const last = lastOfRun(text, tokens, first)
  let all = 0
  for (let token = first; token <= last; token++) all += ends[token]! - starts[token]!
  if (all < leastDigits) return NO_RUNS
  const runs: NumberRun[] = []
  let [shape, digits] = ['', '']
  for (let token = first; token <= last; token++) {
    if (token > first) shape += text.slice(ends[token - 1], starts[token])
    shape += ends[token]! - starts[token]!
    digits += text.slice(starts[token], ends[token])
    if (digits.length > MOST_DIGITS) break
    const count = token - first + 1
    if (digits.length >= leastDigits && digits.length >= LEAST_MEAN_DIGITS * count)
      runs.push({ shape, digits, start: starts[first]!, end: ends[token]!, tokens: count })
  }
  return runs.reverse()
}

const NO_RUNS: NumberRun[] = []

/** The last token that little stands before, from `first` on. */
function lastOfRun(text: string, { starts, ends, plain }: NumberTokens, first: number): number {
  let last = first
  for (let token = first + 1; token < starts.length && token < first + LONGEST_RUN && plain[token]; token++) {
    const [from, to] = [ends[token - 1]!, starts[token]!]
    if (to - from > LONGEST_GAP || !isGap(text.charCodeAt(from)) || (to - from === 2 && !isGap(text.charCodeAt(from + 1)))) break
    last = token
  }
  return last
}

/** A space or one of `-./()`. */
function isGap(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x2d && unit <= 0x2f) || unit === 0x28 || unit === 0x29
}

/** No number of a person has more. */
const MOST_DIGITS = 20
