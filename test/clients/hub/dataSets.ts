/** Data sets that the clients read, made anew each time. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
