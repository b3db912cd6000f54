/** Rows of text as data sets have them, made up, always the same for the same seed: many short ones, few long ones. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'

const VOCABULARY = 4096
const SHORTEST_WORDS = 8
/** The longest text has SHORTEST_WORDS · 2^LENGTH_OCTAVES words; every octave is as frequent as the others. */
const LENGTH_OCTAVES = 7
const ROW_GROUP_ROWS = 8192

export interface TextRow {
  id: number
  text: string
  label: string
  score: number
  source: string
}

/** Endless rows; about 1.2 kB each in the mean. */
export function* makeRows(seed: number): Generator<TextRow, never> {
  const random = createRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const vocabulary = Array.from({ length: VOCABULARY }, () => makeWord(below))
  for (let id = 0; ; id++) {
    const words = Math.floor(SHORTEST_WORDS * 2 ** (LENGTH_OCTAVES * random()))
    // The square makes some words frequent and most of them rare.
    const text = Array.from({ length: words }, () => vocabulary[Math.floor(VOCABULARY * random() ** 2)]!).join(' ')
    yield { id, text, label: below(4) === 0 ? 'spam' : 'ham', score: random(), source: `https://example.org/${below(1000)}/${id}` }
  }
}

function makeWord(below: (limit: number) => number): string {
  const syllables = 1 + below(4)
  return Array.from({ length: syllables }, () => 'bcdfghklmnprstvz'[below(16)]! + 'aeiouäéo'[below(8)]!).join('')
}

/** Numbers in [0, 1) by xorshift32 (Marsaglia 2003). */
export function createRandom(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Writes rows as JSON Lines until there are `rows` of them or `bytes` are passed; returns the size of the file. */
export async function writeJsonl(path: string, seed: number, until: { rows: number } | { bytes: number }): Promise<number> {
  const file = createWriteStream(path)
  let bytes = 0
  let rows = 0
  for (const row of makeRows(seed)) {
    const line = Buffer.from(`${JSON.stringify(row)}\n`)
    bytes += line.length
    rows++
    if (!file.write(line)) await once(file, 'drain')
    if ('rows' in until ? rows === until.rows : bytes >= until.bytes) break
  }
  file.end()
  await once(file, 'close')
  return bytes
}

/** Writes so many rows as Parquet, pages compressed with Snappy; returns the size of the file. */
export async function writeParquet(path: string, seed: number, rows: number): Promise<number> {
  const columns: { [K in keyof TextRow]: TextRow[K][] } = { id: [], text: [], label: [], score: [], source: [] }
  for (const row of makeRows(seed)) {
    columns.id.push(row.id)
    columns.text.push(row.text)
    columns.label.push(row.label)
    columns.score.push(row.score)
    columns.source.push(row.source)
    if (columns.id.length === rows) break
  }
  const writer = new ByteWriter()
  await parquetWrite({
    writer,
    rowGroupSize: ROW_GROUP_ROWS,
    columnData: [
      { name: 'id', data: columns.id.map(BigInt), type: 'INT64' },
      { name: 'text', data: columns.text, type: 'STRING' },
      { name: 'label', data: columns.label, type: 'STRING' },
      { name: 'score', data: columns.score, type: 'DOUBLE' },
      { name: 'source', data: columns.source, type: 'STRING' },
    ],
  })
  const bytes = writer.getBytes()
  await writeFile(path, bytes)
  return bytes.length
}
