/** Data sets that the clients read, made anew each time. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createParquetFile } from '../../../core/samples/parquet.ts'
import type { Schema } from '../../../core/samples/schema.ts'
import { CalendarDate, Instant } from '../../../core/samples/value.ts'
import { parquetBytes } from '../../indexer/sources.ts'

/** Rows with a hidden character in this place are flagged. */
const HIDDEN_ROW = 7

function messages(from: number, to: number): string {
  return numbers(from, to)
    .map((id) => {
      const text = `${id === HIDDEN_ROW ? 'hid\u200bden\u200b wo\u200brds ' : ''}${words(id)}`
      const row = {
        id,
        text,
        label: id % 2 === 0 ? 'even' : 'odd',
        score: id / 7,
        tags: ['ä', 'b'].slice(0, id % 3),
        about: { n: id, of: null },
      }
      return `${JSON.stringify(row)}\n`
    })
    .join('')
}

function table(rowCount: number): Uint8Array {
  const ids = numbers(0, rowCount)
  return parquetBytes({
    codec: 'SNAPPY',
    rowGroupSize: 4096,
    columnData: [
      { name: 'id', data: BigInt64Array.from(ids, BigInt), type: 'INT64' },
      { name: 'text', data: ids.map(words), type: 'STRING' },
      { name: 'value', data: ids.map((id) => (id % 10 === 0 ? null : id / 3)), type: 'DOUBLE' },
      { name: 'flag', data: ids.map((id) => id % 2 === 0), type: 'BOOLEAN' },
    ],
  })
}

/** A column of every kind of value; each seventh row has nothing but its id. */
function kinds(rowCount: number): Uint8Array {
  const file = createParquetFile(KINDS)
  for (const id of numbers(0, rowCount)) {
    const points = numbers(0, id % 3).map((x) => ({ x: x / 3, label: `p${x}` }))
    file.push({
      ...Object.fromEntries(KINDS.map(({ name }) => [name, null])),
      id,
      ...(id % 7 === 6
        ? {}
        : {
            text: words(id),
            day: new CalendarDate(id),
            at: new Instant(BigInt(id) * 1_000_001_000n),
            flag: id % 2 === 0,
            points,
            grid: [[id], [1, 2]],
            about: { n: id, deep: { s: `s${id}` } },
            raw: Uint8Array.of(id % 256),
            'odd name/ü': `ü${id}`,
          }),
    })
  }
  return file.finish()
}

const KINDS: Schema = [
  { name: 'id', type: { type: 'int64' } },
  { name: 'text', type: { type: 'utf8' } },
  { name: 'day', type: { type: 'date' } },
  { name: 'at', type: { type: 'timestamp', unit: 'us', utc: true } },
  { name: 'flag', type: { type: 'bool' } },
  {
    name: 'points',
    type: {
      type: 'list',
      items: {
        type: 'struct',
        fields: [
          { name: 'x', type: { type: 'float64' } },
          { name: 'label', type: { type: 'utf8' } },
        ],
      },
    },
  },
  { name: 'grid', type: { type: 'list', items: { type: 'list', items: { type: 'int64' } } } },
  {
    name: 'about',
    type: {
      type: 'struct',
      fields: [
        { name: 'n', type: { type: 'int64' } },
        { name: 'deep', type: { type: 'struct', fields: [{ name: 's', type: { type: 'utf8' } }] } },
      ],
    },
  },
  { name: 'raw', type: { type: 'binary' } },
  { name: 'odd name/ü', type: { type: 'utf8' } },
]

/** Twenty words that no other row has, so that nothing is a duplicate. */
function words(id: number): string {
  return Array.from({ length: 20 }, (_, i) => `w${(id * 7919 + i * 104_729) % 1_000_003}`).join(' ')
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

export const TABLE_PATH = 'data/train-00000-of-00001.parquet'

const DATA_SETS = {
  'messages-1': () => ({ 'data/train.jsonl': messages(0, 500), 'data/test.jsonl': messages(1000, 1100) }),
  'messages-2': () => ({ 'data/train.jsonl': messages(0, 600), 'data/test.jsonl': messages(1000, 1100) }),
  tables: () => ({ 'README.md': '---\nlicense: cc0-1.0\n---\n# Tables\n', [TABLE_PATH]: table(20_000) }),
  unicode: () => ({
    'Ünï rows.csv': `id,text\n${numbers(0, 300)
      .map((id) => `${id},"${words(id)}, ü"`)
      .join('\n')}\n`,
  }),
  capitals: () => ({ 'train.jsonl': messages(300, 500) }),
  kinds: () => ({ 'rows.parquet': kinds(200) }),
  unverified: () => ({ 'train.jsonl': messages(0, 200) }),
} satisfies Record<string, () => Record<string, string | Uint8Array>>

/** Writes the files of a data set into a new folder and returns its path. */
export async function writeDataSet(folder: string, name: keyof typeof DATA_SETS): Promise<string> {
  const root = join(folder, name)
  for (const [path, content] of Object.entries<string | Uint8Array>(DATA_SETS[name]())) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  return root
}
