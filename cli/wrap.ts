/** Lines of a terminal of 80 columns. */

const COLUMNS = 80

/** A text in lines that begin with `indent` characters of white space, the first with `first` instead; a word is never broken. */
export function wrap(text: string, indent: number, first = ' '.repeat(indent)): string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(/\s+/)) {
    if (word === '') continue
    if (!isEmpty && lengthOf(line) + 1 + lengthOf(word) > COLUMNS) {
      lines.push(line)
      line = ' '.repeat(indent)
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return isEmpty && lines.length > 0 ? lines : [...lines, line.trimEnd()]
}

/** In characters, which need not be columns: wide ones count as one. */
function lengthOf(text: string): number {
  return Array.from(text).length
}
