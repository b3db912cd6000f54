/** Plain text: a sample is a line that is not blank, or a paragraph, which blank lines end. One column, `text`. */
import type { Row } from '../../core/samples/value.ts'
import { Problem } from '../../core/problem.ts'
import { lineBlocks, MAX_LINE_BYTES, withCompression } from './lines.ts'
import type { Reader } from './reader.ts'

const COLUMN = 'text'

export const text: Reader = {
  id: 'text',
  extensions: withCompression('.txt', '.text'),

  async infer(file, options) {
    // One pass over the bytes, so that what cannot be read is known before the first row is indexed.
    for await (const rows of text.read(file, [], options)) void rows
    return [{ name: COLUMN, type: { type: 'utf8' } }]
  },

  async *read(file, _schema, options) {
    let paragraph: string[] = []
    let length = 0
    for await (const { firstLine, lines } of lineBlocks(file, options)) {
      const rows: Row[] = []
      for (let i = 0; i < lines.length; i++) {
        const raw = lines[i]!
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
        const blank = line.trim() === ''
        if (options.textUnit === 'line') {
          if (!blank) rows.push({ [COLUMN]: line })
        } else if (!blank) {
          paragraph.push(line)
          length += line.length
          if (length > MAX_LINE_BYTES)
            throw new Problem(
              'invalid-file',
              `${file.path} row ${firstLine + i}: a paragraph may have at most ${MAX_LINE_BYTES} characters`,
            )
        } else if (paragraph.length > 0) {
          rows.push({ [COLUMN]: paragraph.join('\n') })
          paragraph = []
          length = 0
        }
      }
      if (rows.length > 0) yield rows
    }
    if (paragraph.length > 0) yield [{ [COLUMN]: paragraph.join('\n') }]
  },
}
