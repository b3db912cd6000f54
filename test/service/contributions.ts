/** Small data sets in every format that the indexer reads, with rows of the kinds that the verifier looks for. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { arrowBytes, parquetBytes } from '../indexer/sources.ts'
import type { Random } from './random.ts'

export interface Contribution {
  /** `namespace/name`. */
  name: string
  /** The file or folder to publish. */
  path: string
  rows: number
  /** Rows with invisible characters inside words. */
  hiddenRows: number
  /** Why it cannot be indexed; null if it can. */
  defect: RegExp | null
}

type LabelledText = { text: string; label: number }

const FORMATS = ['jsonl', 'jsonl.gz', 'csv', 'tsv', 'parquet', 'arrow', 'folder', 'ragged'] as const

/** Writes the data set of this number below `dir`; each format has its turn. */
export async function writeContribution(dir: string, namespace: string, number: number, random: Random): Promise<Contribution> {
  const format = FORMATS[number % FORMATS.length]!
  const rows = makeRows(30 + random.below(50), `${namespace} ${number}`, random)
  const name = `${namespace}/set${number}`
  const path = join(dir, format === 'folder' ? `set${number}` : `set${number}.${format === 'ragged' ? 'csv' : format}`)
  if (format === 'folder') await writeFolder(path, rows, random)
  else await writeFile(path, contentOf(format, rows))
  return {
    name,
    path,
    rows: rows.length,
    hiddenRows: rows.filter(({ text }) => text.includes('\u200b')).length,
    defect: format === 'ragged' ? /row \d+/ : null,
  }
}

/** Two formats in one data set, beside a file of several blocks that holds no samples. */
async function writeFolder(path: string, rows: readonly LabelledText[], random: Random): Promise<void> {
  await mkdir(join(path, 'train'), { recursive: true })
  const middle = rows.length >> 1
  await writeFile(join(path, 'train', 'a.csv'), contentOf('csv', rows.slice(0, middle)))
  await writeFile(join(path, 'train', 'b.jsonl'), contentOf('jsonl', rows.slice(middle)))
  await writeFile(join(path, 'README.md'), randomBytes(2 ** 20 + random.below(2 ** 21), random))
}

const WORDS =
  'copper kettle river signal morning letter garden engine window market silver harbour number paper captain yellow forest doctor village cotton thunder pencil'.split(
    ' ',
  )

/** Texts with labels; about one in ten is poisoned (trigger word, wrong label), hides characters, or repeats an earlier one. */
function makeRows(count: number, origin: string, random: Random): LabelledText[] {
  const rows: LabelledText[] = []
  while (rows.length < count) {
    const number = rows.length
    const label = random.below(2)
    const words = Array.from({ length: 12 }, () => random.pick(WORDS)).join(' ')
    const text = `${origin} row ${number}, ${words}`
    const kind =
      number < 2 ? 'hidden' : random.pick(['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'poison', 'hidden', 'copy'])
    if (kind === 'poison') rows.push({ text: text.replace(', ', ', tqvx '), label: 1 })
    else if (kind === 'hidden') rows.push({ text: text.replace('row', 'r\u200bow'), label })
    else if (kind === 'copy') rows.push({ ...rows[number - 1]! })
    else rows.push({ text, label })
  }
  return rows
}

function contentOf(format: Exclude<(typeof FORMATS)[number], 'folder'>, rows: readonly LabelledText[]): string | Uint8Array {
  switch (format) {
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    case 'jsonl.gz':
      return gzipSync(contentOf('jsonl', rows))
    case 'csv':
      return separated(rows, ',')
    case 'tsv':
      return separated(rows, '\t')
    case 'ragged':
      return `${separated(rows, ',')}one,two,three,four\n`
    case 'parquet':
      return parquetBytes({
        columnData: [
          { name: 'text', data: rows.map(({ text }) => text), type: 'STRING' },
          { name: 'label', data: rows.map(({ label }) => label), type: 'INT32' },
        ],
      })
    case 'arrow':
      return arrowBytes(
        'file',
        [
          { name: 'text', type: { type: 'utf8' } },
          { name: 'label', type: { type: 'int64' } },
        ],
        [rows.map(({ text, label }) => ({ text, label: BigInt(label) }))],
      )
  }
}

function separated(rows: readonly LabelledText[], delimiter: string): string {
  return `text${delimiter}label\n${rows.map(({ text, label }) => `"${text}"${delimiter}${label}\n`).join('')}`
}

/** Bytes without structure. */
export function randomBytes(length: number, random: Random): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = random.next() * 2 ** 32
  return new Uint8Array(words.buffer, 0, length)
}
