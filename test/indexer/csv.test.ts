import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readFile, sourceOf } from './sources.ts'

const fails = (content: string, expected: { code: string; detail: RegExp }) =>
  assert.rejects(readFile(sourceOf('data.csv', content)), { name: 'Problem', ...expected })

const typesOf = async (content: string, name = 'data.csv') =>
  Object.fromEntries((await readFile(sourceOf(name, content))).schema.map((field) => [field.name, field.type.type]))

test('a column has the narrowest type of all its values, and an empty field is null', async () => {
  const { schema, rows } = await readFile(
    sourceOf('data.csv', 'i,f,b,s,n,u\n1,1,true,a,,18446744073709551615\n,2.5,FALSE,1,,0\n-3,NaN,,,,\n'),
  )
  assert.deepEqual(
    schema.map((field) => field.type.type),
    ['int64', 'float64', 'bool', 'utf8', 'null', 'uint64'],
  )
  assert.deepEqual(rows, [
    { i: 1, f: 1, b: true, s: 'a', n: null, u: 18446744073709551615n },
    { i: null, f: 2.5, b: false, s: '1', n: null, u: 0 },
    { i: -3, f: Number.NaN, b: null, s: null, n: null, u: null },
  ])
})

test('what a number would lose stays text: leading zeros, plus signs, more than 64 bits, words', async () => {
  assert.deepEqual(await typesOf('a,b,c,d,e,f,g\n007,+1,123456789012345678901234567890,nan,1e5,.5,-\n'), {
    a: 'utf8',
    b: 'utf8',
    c: 'utf8',
    d: 'utf8',
    e: 'float64',
    f: 'float64',
    g: 'utf8',
  })
})

test('quoted fields may hold delimiters, quotes and line ends', async () => {
  const { rows } = await readFile(sourceOf('data.csv', 'a,b\r\n"x, ""y""","line 1\r\nline 2"\r\nplain,""\r\n'))
  assert.deepEqual(rows, [
    { a: 'x, "y"', b: 'line 1\r\nline 2' },
    { a: 'plain', b: null },
  ])
})

test('the delimiter is a tab in .tsv files and otherwise the one that the header has most of', async () => {
  for (const [name, delimiter] of [
    ['data.tsv', '\t'],
    ['data.csv', ';'],
    ['data.csv', '\t'],
    ['data.csv', '|'],
    ['data.csv', ','],
  ] as const)
    assert.deepEqual((await readFile(sourceOf(name, `a${delimiter}"b,;c"\n1${delimiter}2\n`))).rows, [{ a: 1, 'b,;c': 2 }])
})

test('law: any table of texts is read back, wherever pieces of the file end', async () => {
  const quote = (field: string) => `"${field.replaceAll('"', '""')}"`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string()), { minLength: 1 }),
      fc.integer({ min: 1, max: 40 }),
      async (records, pieceBytes) => {
        // The letter keeps every field text.
        const table = records.map((record) => record.map((field) => `t${field}`))
        const content = ['a,b', ...table.map((record) => record.map(quote).join(','))].join('\n')
        const { rows } = await readFile(sourceOf('data.csv', content, pieceBytes))
        assert.deepEqual(
          rows,
          table.map(([a, b]) => ({ a, b })),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('a ragged row is refused with file and row', async () => {
  await fails('a,b\n1,2\n3\n', { code: 'invalid-sample', detail: /^data\.csv row 2: 1 fields where the header names 2 columns$/ })
  await fails('a,b\n1,2,3\n', { code: 'invalid-sample', detail: /^data\.csv row 1: 3 fields/ })
})

test('an unfinished quote and text after a quote are refused with file and row', async () => {
  await fails('a,b\n1,2\n"x,3\n4,5\n', { code: 'invalid-sample', detail: /^data\.csv row 2: a quoted field does not end/ })
  await fails('a,b\n1,2\n"x"y,3\n', { code: 'invalid-sample', detail: /^data\.csv row 2 column 1: text after the closing quotation mark/ })
})

test('a header is required, names each column once, and at most 4096', async () => {
  await fails('', { code: 'invalid-file', detail: /no header/ })
  await fails('a,b,a\n1,2,3\n', { code: 'invalid-file', detail: /two columns are named "a"/ })
  await fails(`${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}\n`, {
    code: 'invalid-file',
    detail: /10000 columns; at most 4096/,
  })
})
