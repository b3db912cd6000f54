import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import type { SchemaElement } from 'hyparquet'
import { CalendarDate, Instant } from '../../core/samples/value.ts'
import { parquetBytes, readFile, sourceOf } from './sources.ts'

const readParquet = (bytes: Uint8Array) => readFile(sourceOf('data.parquet', bytes))

test('physical and logical types become columns without loss', async () => {
  const element = (name: string, rest: Partial<SchemaElement>): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...rest })
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 8 },
    element('i32', { type: 'INT32' }),
    element('u32', { type: 'INT32', converted_type: 'UINT_32' }),
    element('i64', { type: 'INT64' }),
    element('u64', { type: 'INT64', converted_type: 'UINT_64' }),
    element('date', { type: 'INT32', converted_type: 'DATE' }),
    element('micros', { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } }),
    element('binary', { type: 'BYTE_ARRAY' }),
    element('double', { type: 'DOUBLE' }),
  ]
  const { schema: columns, rows } = await readParquet(
    parquetBytes({
      schema,
      statistics: false,
      columnData: [
        { name: 'i32', data: [-1, null] },
        { name: 'u32', data: [4294967295, null] },
        { name: 'i64', data: [9007199254740993n, null] },
        { name: 'u64', data: [18446744073709551615n, null] },
        { name: 'date', data: [new Date('2026-11-20'), null] },
        { name: 'micros', data: [1_700_000_000_123_456n, null] },
        { name: 'binary', data: [Uint8Array.of(0, 255), null] },
        { name: 'double', data: [Number.NaN, null] },
      ],
    }),
  )
  assert.deepEqual(
    columns.map((column) => column.type),
    [
      { type: 'int64' },
      { type: 'int64' },
      { type: 'int64' },
      { type: 'uint64' },
      { type: 'date' },
      { type: 'timestamp', unit: 'us', utc: true },
      { type: 'binary' },
      { type: 'float64' },
    ],
  )
  assert.deepEqual(rows, [
    {
      i32: -1,
      u32: 4294967295,
      i64: 9007199254740993n,
      u64: 18446744073709551615n,
      date: new CalendarDate(20777),
      micros: new Instant(1_700_000_000_123_456_000n),
      binary: Uint8Array.of(0, 255),
      double: Number.NaN,
    },
    Object.fromEntries(columns.map((column) => [column.name, null])),
  ])
})

test('decimals become text with all digits of their scale', async () => {
  const decimal = (name: string, type: SchemaElement['type'], rest = {}): SchemaElement => ({
    name,
    type: type!,
    repetition_type: 'REQUIRED',
    converted_type: 'DECIMAL',
    scale: 2,
    precision: 9,
    ...rest,
  })
  const { schema, rows } = await readParquet(
    parquetBytes({
      schema: [{ name: 'root', num_children: 2 }, decimal('a', 'INT32'), decimal('b', 'FIXED_LEN_BYTE_ARRAY', { type_length: 4 })],
      statistics: false,
      columnData: [
        { name: 'a', data: [-0.05, 12.3] },
        { name: 'b', data: [-0.05, 12.3] },
      ],
    }),
  )
  assert.deepEqual(
    schema.map((column) => column.type.type),
    ['utf8', 'utf8'],
  )
  assert.deepEqual(rows, [
    { a: '-0.05', b: '-0.05' },
    { a: '12.30', b: '12.30' },
  ])
})

const NESTED: SchemaElement[] = [
  { name: 'root', num_children: 4 },
  { name: 'list', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'struct', repetition_type: 'OPTIONAL', num_children: 2 },
  { name: 'x', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'y', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'map', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP' },
  { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
  { name: 'key', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'value', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'n', type: 'INT64', repetition_type: 'REQUIRED' },
]

test('lists, structs and maps are put together across pages, with nulls and empty lists told apart', async () => {
  const count = 500
  const list = (i: number) =>
    i % 7 === 0 ? null : i % 7 === 1 ? [] : Array.from({ length: i % 7 }, (_, k) => (k === 3 ? null : `item ${i}.${k}`))
  const struct = (i: number) => (i % 5 === 0 ? null : { x: i % 3 === 0 ? null : BigInt(i), y: `y${i}` })
  // Keys that a plain object would put into another order.
  const map = (i: number) =>
    i % 4 === 0
      ? null
      : [
          { key: '10', value: BigInt(i) },
          { key: '9', value: null },
        ].slice(0, i % 4)
  const rows = Array.from({ length: count }, (_, i) => i)
  const { schema, rows: read } = await readParquet(
    parquetBytes({
      schema: NESTED,
      pageSize: 300,
      rowGroupSize: 400,
      statistics: false,
      columnData: [
        { name: 'list', data: rows.map(list) },
        { name: 'struct', data: rows.map(struct) },
        { name: 'map', data: rows.map(map) },
        { name: 'n', data: rows.map(BigInt) },
      ],
    }),
  )
  assert.deepEqual(schema[2]!.type, {
    type: 'list',
    items: {
      type: 'struct',
      fields: [
        { name: 'key', type: { type: 'utf8' } },
        { name: 'value', type: { type: 'int64' } },
      ],
    },
  })
  const asNumbers = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item)))
  assert.deepEqual(
    read,
    rows.map((i) => asNumbers({ list: list(i), struct: struct(i), map: map(i), n: i })),
  )
})

test('law: texts and numbers are read back whatever the sizes of pages, row groups and pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ t: fc.option(fc.string({ unit: 'grapheme' })), n: fc.integer() }, { noNullPrototype: true }), {
        minLength: 1,
        maxLength: 200,
      }),
      fc.integer({ min: 16, max: 500 }),
      fc.integer({ min: 1, max: 100 }),
      async (rows, pageSize, rowGroupSize) => {
        const bytes = parquetBytes({
          pageSize,
          rowGroupSize,
          columnData: [
            { name: 't', data: rows.map((row) => row.t), type: 'STRING' },
            { name: 'n', data: rows.map((row) => row.n), type: 'INT32' },
          ],
        })
        assert.deepEqual((await readFile(sourceOf('data.parquet', bytes, 777))).rows, rows)
      },
    ),
    { numRuns: 30 },
  )
})

test('pages are decompressed by the codecs that writers use', async () => {
  const data = Array.from({ length: 2000 }, (_, i) => `row ${i} of a text that repeats itself`)
  const columnData = [{ name: 't', data, type: 'STRING' as const }]
  const compressors = { GZIP: gzipSync, BROTLI: brotliCompressSync, ZSTD: zstdCompressSync }
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const) {
    const { rows } = await readParquet(parquetBytes({ columnData, codec, compressors }))
    assert.deepEqual(
      rows.map((row) => row['t']),
      data,
      codec,
    )
  }
})

test('a Parquet file cut anywhere is refused as truncated or damaged, never read in part', async () => {
  const bytes = parquetBytes({ columnData: [{ name: 't', data: Array.from({ length: 3000 }, (_, i) => `row ${i}`), type: 'STRING' }] })
  for (const length of [0, 4, 11, 100, bytes.length >> 1, bytes.length - 9, bytes.length - 1])
    await assert.rejects(
      readParquet(bytes.subarray(0, length)),
      { code: 'invalid-file', detail: /^data\.parquet.*(truncated|damaged)/s },
      `${length} bytes`,
    )
})

test('law: a Parquet file with damaged bytes is read, or refused with a problem; it never brings a fault', async () => {
  const bytes = parquetBytes({
    pageSize: 200,
    columnData: [
      { name: 't', data: Array.from({ length: 200 }, (_, i) => (i % 9 === 0 ? null : `row ${i % 50}`)), type: 'STRING' },
      { name: 'n', data: Array.from({ length: 200 }, (_, i) => i), type: 'INT32' },
    ],
  })
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = bytes.slice()
      damaged[at]! ^= flip
      try {
        await readParquet(damaged)
      } catch (error) {
        assert.equal((error as Error).name, 'Problem', String((error as Error).stack))
      }
    }),
    // The example makes a page's size a 64-bit integer.
    { numRuns: 300, examples: [[1425, 3]] },
  )
})

test('columns of the same name, types without a counterpart and strings that are not UTF-8 are refused by name', async () => {
  const twice = parquetBytes({
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'a', type: 'INT32', repetition_type: 'REQUIRED' },
      { name: 'a', type: 'INT32', repetition_type: 'REQUIRED' },
    ],
    columnData: [
      { name: 'a', data: [1] },
      { name: 'a', data: [2] },
    ],
  })
  await assert.rejects(readParquet(twice), { code: 'invalid-file', detail: /two columns are named "a"/ })
  const time = parquetBytes({
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'at', type: 'INT32', converted_type: 'TIME_MILLIS', repetition_type: 'REQUIRED' },
    ],
    columnData: [{ name: 'at', data: [1] }],
  })
  await assert.rejects(readParquet(time), { code: 'unsupported-format', detail: /column "at": Parquet's TIME is not supported/ })
  const latin1 = parquetBytes({
    schema: [
      { name: 'root', num_children: 1 },
      { name: 's', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED', converted_type: 'UTF8' },
    ],
    statistics: false,
    columnData: [{ name: 's', data: [Uint8Array.of(0x67, 0xfc, 0x6e)] }],
  })
  await assert.rejects(readParquet(latin1), { code: 'invalid-file', detail: /column "s": a string that is not UTF-8/ })
})
