/**
 * What differs between two texts, word by word, for people: `… as the [-old-] {+new+} words stand …` as in `git diff --word-diff`. The
 * shortest script of words to delete and insert (Myers 1986, O(ND)).
 */

/** Words of a text that are compared. */
const MOST_WORDS = 20_000
/** Words to delete and insert beyond which two texts are said to differ too much. */
const MOST_CHANGES = 200
/** Words on each side of a change. */
const CONTEXT = 3
const MOST_CHARACTERS = 480

type Step = { kind: 'same' | 'deleted' | 'inserted'; word: string }

/** At most 480 UTF-16 units; null where the words are the same. */
export function wordDiff(before: string, after: string): string | null {
  const [a, b] = [before, after].map((text) => text.split(/\s+/, MOST_WORDS).filter((word) => word !== '')) as [string[], string[]]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  if (start === a.length && start === b.length) return null
  const script = shortestScript(a.slice(start, a.length - end), b.slice(start, b.length - end))
  if (script === null) return `more than ${MOST_CHANGES} words differ`
  const same = (words: readonly string[]): Step[] => words.map((word) => ({ kind: 'same', word }))
  return cut(written([...same(a.slice(0, start)), ...script, ...same(a.slice(a.length - end))]))
}

/** The steps from `a` to `b`; null where they are too many. */
function shortestScript(a: readonly string[], b: readonly string[]): Step[] | null {
  const most = Math.min(MOST_CHANGES, a.length + b.length)
  const width = 2 * most + 3
  /** For each number of changes how far along `a` every diagonal (place in `a` − place in `b`) has come before it. */
  const trace: Int32Array[] = []
  const furthest = new Int32Array(width)
  const at = (diagonal: number) => diagonal + most + 1
  const goesDown = (reached: Int32Array, diagonal: number, changes: number) =>
    diagonal === -changes || (diagonal !== changes && reached[at(diagonal - 1)]! < reached[at(diagonal + 1)]!)
  for (let changes = 0; changes <= most; changes++) {
    trace.push(furthest.slice())
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let x = goesDown(furthest, diagonal, changes) ? furthest[at(diagonal + 1)]! : furthest[at(diagonal - 1)]! + 1
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++
      furthest[at(diagonal)] = x
      if (x >= a.length && x - diagonal >= b.length) return walkedBack(changes)
    }
  }
  return null

  function walkedBack(changes: number): Step[] {
    const steps: Step[] = []
    let [x, y] = [a.length, b.length]
    for (; changes >= 0; changes--) {
      const reached = trace[changes]!
      const diagonal = x - y
      const down = goesDown(reached, diagonal, changes)
      const previous = down ? diagonal + 1 : diagonal - 1
      const fromX = changes === 0 ? 0 : reached[at(previous)]!
      const fromY = changes === 0 ? 0 : fromX - previous
      while (x > fromX && y > fromY) {
        steps.push({ kind: 'same', word: a[--x]! })
        y--
      }
      if (changes === 0) break
      steps.push(down ? { kind: 'inserted', word: b[fromY]! } : { kind: 'deleted', word: a[fromX]! })
      ;[x, y] = [fromX, fromY]
    }
    return steps.reverse()
  }
}

/** Changes with the words around them; what lies between is `…`. */
function written(steps: readonly Step[]): string {
  const near = steps.map((_, i) => steps.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ kind }) => kind !== 'same'))
  const parts: string[] = []
  for (let i = 0; i < steps.length;) {
    const { kind, word } = steps[i]!
    if (!near[i]) {
      if (parts.at(-1) !== '…') parts.push('…')
      i++
    } else if (kind === 'same') {
      parts.push(word)
      i++
    } else {
      // Deleted and inserted words of one change come mixed.
      const first = i
      while (i < steps.length && steps[i]!.kind !== 'same') i++
      const words = (wanted: Step['kind']) => steps.slice(first, i).filter((step) => step.kind === wanted).map((step) => step.word).join(' ') // prettier-ignore
      if (words('deleted') !== '') parts.push(`[-${words('deleted')}-]`)
      if (words('inserted') !== '') parts.push(`{+${words('inserted')}+}`)
    }
  }
  return parts.join(' ')
}

function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1).toWellFormed()}…`
}
