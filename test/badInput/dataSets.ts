/** Files that cannot be indexed, each with what its contributor is to be told. */
import { gzipSync } from 'node:zlib'
import { arrowBytes, parquetBytes } from '../indexer/sources.ts'

export interface BadFile {
  /** What is wrong. */
  what: string
  /** Name of the file. */
  path: string
  content: () => string | Uint8Array
  /** Says what is wrong and where. */
  says: RegExp
}

const MIB = 1024 * 1024
const COLUMNS = Array.from({ length: 10_000 }, (_, i) => `c${i}`)

/** Gzip members follow one another as their contents do (RFC 1952 §2.2), so that one of them, repeated, makes a large file cheaply. */
const repeated = (member: Uint8Array, times: number): Uint8Array[] => Array.from({ length: times }, () => member)

const texts = (count: number) => Array.from({ length: count }, (_, i) => `text number ${i}, which no other row has`)

function parquetOf(count: number): Uint8Array {
  return parquetBytes({
    columnData: [
      { name: 'text', data: texts(count), type: 'STRING' },
      { name: 'label', data: Array.from({ length: count }, (_, i) => i % 2), type: 'INT32' },
    ],
    rowGroupSize: 1000,
  })
}

function arrowOf(count: number): Uint8Array {
  return arrowBytes('file', [{ name: 'text', type: { type: 'utf8' } }], [texts(count).map((text) => ({ text }))])
}

const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * 0.6))

/** Zeroes a piece of the middle, where pages are: the footer stays whole. */
function damaged(bytes: Uint8Array): Uint8Array {
  const at = Math.floor(bytes.length * 0.6)
  return bytes.fill(0, at, at + 2000)
}

export const BAD_FILES: readonly BadFile[] = [
  {
    what: 'a Parquet file that was cut off',
    path: 'truncated.parquet',
    content: () => cut(parquetOf(5000)),
    says: /^truncated\.parquet: not a whole Parquet file .*truncated or damaged/,
  },
  {
    what: 'a Parquet file with a damaged page, met when rows were written already',
    path: 'damaged.parquet',
    content: () => damaged(parquetOf(20_000)),
    says: /^damaged\.parquet column "text": .*damaged/,
  },
  {
    what: 'an Arrow file that was cut off',
    path: 'truncated.arrow',
    content: () => cut(arrowOf(5000)),
    says: /^truncated\.arrow: not a whole Arrow IPC file/,
  },
  {
    what: 'a CSV with a ragged row',
    path: 'ragged.csv',
    content: () => 'a,b,c\n1,2,3\n4,5,6\n7,8\n',
    says: /^ragged\.csv row 3: 2 fields where the header names 3 columns/,
  },
  {
    what: 'a CSV with a quotation mark that nothing closes, and a gigabyte behind it',
    path: 'open.csv.gz',
    content: () => Buffer.concat([gzipSync('a,b\n1,"'), ...repeated(gzipSync(`${'a'.repeat(1023)}\n`.repeat(16 * 1024)), 64)]),
    says: /^open\.csv\.gz row 1: a record may have at most \d+ characters; is a quotation mark missing/,
  },
  {
    what: 'JSON Lines that are not UTF-8',
    path: 'latin1.jsonl',
    content: () => Buffer.from('{"text":"plain"}\n{"text":"caf\xe9"}\n', 'latin1'),
    says: /^latin1\.jsonl row 2: not UTF-8/,
  },
  {
    what: 'a text that is not UTF-8',
    path: 'latin1.txt',
    content: () => Buffer.from('one\ntwo\nna\xefve\n', 'latin1'),
    says: /^latin1\.txt row 3: not UTF-8/,
  },
  {
    what: '64 MiB on a single line',
    path: 'endless.jsonl',
    content: () => Buffer.concat([Buffer.from('{"text":"'), Buffer.alloc(64 * MIB, 'a')]),
    says: /^endless\.jsonl row 1: a line may have at most 16777216 bytes/,
  },
  {
    what: 'a gigabyte on a single line, compressed',
    path: 'endless.jsonl.gz',
    content: () => Buffer.concat([gzipSync('{"text":"first"}\n{"text":"'), ...repeated(gzipSync(Buffer.alloc(16 * MIB, 'a')), 64)]),
    says: /^endless\.jsonl\.gz row 2: a line may have at most 16777216 bytes/,
  },
  {
    what: 'a gzip bomb',
    path: 'bomb.jsonl.gz',
    content: () => Buffer.concat(repeated(gzipSync(`{"text":"${'a'.repeat(4 * MIB)}"}\n`.repeat(4)), 68)),
    says: /^bomb\.jsonl\.gz: grows to more than 1073741824 bytes when decompressed/,
  },
  {
    what: 'damaged compression',
    path: 'damaged.csv.gz',
    content: () => damaged(gzipSync(`a,b\n${texts(20_000).join(',1\n')},1\n`)),
    says: /^damaged\.csv\.gz: damaged or truncated compression/,
  },
  { what: 'an empty file', path: 'empty.jsonl', content: () => '', says: /the data set is empty: no file has a column/ },
  { what: 'a CSV with a header alone', path: 'header.csv', content: () => 'a,b\n', says: /the data set is empty: no file has a row/ },
  { what: 'a text of blank lines', path: 'blank.txt', content: () => '\n \n\n', says: /the data set is empty: no file has a row/ },
  { what: 'a CSV of no bytes', path: 'nothing.csv', content: () => '', says: /^nothing\.csv: no header/ },
  {
    what: 'NaN in JSON',
    path: 'nan.jsonl',
    content: () => '{"score":1.5}\n{"score":NaN}\n',
    says: /^nan\.jsonl row 2: not JSON: .*JSON has no NaN or Infinity: write null/,
  },
  {
    what: 'Infinity in JSON',
    path: 'infinity.jsonl',
    content: () => '{"score":1.5}\n{"score":2}\n{"score":-Infinity}\n',
    says: /^infinity\.jsonl row 3: not JSON: .*JSON has no NaN or Infinity: write null/,
  },
  {
    what: 'a number in JSON that no double holds',
    path: 'huge.jsonl',
    content: () => '{"score":1e400}\n',
    says: /^huge\.jsonl row 1 column "score": a number beyond the range of 64-bit floats/,
  },
  {
    what: 'JSON with 10,000 columns',
    path: 'wide.jsonl',
    content: () => `${JSON.stringify(Object.fromEntries(COLUMNS.map((name) => [name, 1])))}\n`,
    says: /^wide\.jsonl row 1 column "c4096": more than 4096 columns/,
  },
  {
    what: 'a CSV with 10,000 columns',
    path: 'wide.csv',
    content: () => `${COLUMNS.join(',')}\n${COLUMNS.map(() => '1').join(',')}\n`,
    says: /^wide\.csv: 10000 columns; at most 4096 are accepted/,
  },
  {
    what: 'a Parquet file with 10,000 columns',
    path: 'wide.parquet',
    content: () => parquetBytes({ columnData: COLUMNS.map((name) => ({ name, data: [1], type: 'INT32' as const })) }),
    says: /^wide\.parquet: 10000 columns; at most 4096 are accepted/,
  },
  {
    what: 'a column of numbers with a text in it',
    path: 'mixed.jsonl',
    content: () => '{"age":1}\n{"age":"two"}\n',
    says: /^mixed\.jsonl row 2 column "age": a string where earlier rows have a number/,
  },
  {
    what: 'files that no reader takes',
    path: 'picture.xyz',
    content: () => 'pixels',
    says: /^none of the files \(picture\.xyz\) can be read; supported are .*\.parquet/,
  },
]
