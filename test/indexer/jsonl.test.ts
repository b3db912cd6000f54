import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { MAX_LINE_BYTES } from '../../indexer/readers/lines.ts'
import { readFile, sourceOf } from './sources.ts'

const fails = (content: string | Uint8Array, expected: { code: string; detail: string | RegExp }, name = 'data.jsonl') =>
  assert.rejects(readFile(sourceOf(name, content)), { name: 'Problem', ...expected })

test('columns stand in the order in which they first appear, with the narrowest type that holds every value', async () => {
  const { schema, rows } = await readFile(
    sourceOf(
      'data.jsonl',
      '{"i":1,"f":1,"s":"a","b":true,"n":null,"l":[1,null],"o":{"x":1}}\n\n{"i":-2,"f":1.5,"s":null,"l":[2.5],"o":{"y":"z"},"late":[]}\n',
    ),
  )
  assert.deepEqual(schema, [
    { name: 'i', type: { type: 'int64' } },
    { name: 'f', type: { type: 'float64' } },
    { name: 's', type: { type: 'utf8' } },
    { name: 'b', type: { type: 'bool' } },
    { name: 'n', type: { type: 'null' } },
    { name: 'l', type: { type: 'list', items: { type: 'float64' } } },
    {
      name: 'o',
      type: {
        type: 'struct',
        fields: [
          { name: 'x', type: { type: 'int64' } },
          { name: 'y', type: { type: 'utf8' } },
        ],
      },
    },
    { name: 'late', type: { type: 'list', items: { type: 'null' } } },
  ])
  assert.equal(rows.length, 2)
})

test('integers beyond 2^53 keep their exact value, and become floats only beside floats or beyond 64 bits', async () => {
  const { schema, rows } = await readFile(
    sourceOf(
      'data.jsonl',
      '{"a":9007199254740993,"b":18446744073709551615,"c":9007199254740993,"d":123456789012345678901234567890}\n{"a":-9223372036854775808,"b":0,"c":0.5,"d":1}',
    ),
  )
  assert.deepEqual(
    schema.map((field) => field.type.type),
    ['int64', 'uint64', 'float64', 'float64'],
  )
  assert.deepEqual(rows[0], { a: 9007199254740993n, b: 18446744073709551615n, c: 9007199254740992, d: 1.2345678901234568e29 })
  assert.equal(rows[1]!['a'], -9223372036854775808n)
})

test('law: what JSON.stringify wrote is read back, wherever pieces of the file end', async () => {
  const value = fc.record(
    { text: fc.string({ unit: 'binary' }), number: fc.integer(), more: fc.option(fc.array(fc.string())) },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1 }), fc.integer({ min: 1, max: 50 }), async (rows, pieceBytes) => {
      const content = rows.map((row) => JSON.stringify(row)).join('\n')
      assert.deepEqual((await readFile(sourceOf('data.jsonl', content, pieceBytes))).rows, rows)
    }),
    { numRuns: 50 },
  )
})

test('gzip, Zstandard and a byte-order mark change nothing', async () => {
  const content = '\ufeff{"a":1}\r\n{"a":2}\r\n'
  const plain = await readFile(sourceOf('data.jsonl', content))
  assert.deepEqual(plain.rows, [{ a: 1 }, { a: 2 }])
  assert.deepEqual(await readFile(sourceOf('data.jsonl.gz', gzipSync(content))), plain)
  assert.deepEqual(await readFile(sourceOf('DATA.NDJSON.ZST', zstdCompressSync(content))), plain)
})

test('a value of another kind than the rows before it is refused with file, row and column', async () => {
  await fails('{"a":{"b":[1]}}\n{"a":{"b":["x"]}}\n', {
    code: 'invalid-sample',
    detail: 'data.jsonl row 2 column "a.b[]": a string where earlier rows have a number',
  })
})

test('what is not one JSON object a line is refused with its row', async () => {
  await fails('{"a":1}\n[1]\n', { code: 'invalid-sample', detail: /^data\.jsonl row 2: not a JSON object/ })
  await fails('{"a":1}\n"text"\n', { code: 'invalid-sample', detail: /^data\.jsonl row 2: not a JSON object/ })
  await fails('{"a":1}\n{"a":\n', { code: 'invalid-sample', detail: /^data\.jsonl row 2: not JSON/ })
})

test('NaN and Infinity, which JSON does not have, and numbers beyond a double are refused', async () => {
  await fails('{"a":1}\n{"a":NaN}\n', { code: 'invalid-sample', detail: /row 2: not JSON.*write null/ })
  await fails('{"a":-Infinity}\n', { code: 'invalid-sample', detail: /row 1: not JSON.*write null/ })
  await fails('{"a":1e999}\n', { code: 'invalid-sample', detail: /row 1 column "a": a number beyond the range/ })
})

test('bytes that are not UTF-8 are refused with their row', async () => {
  await fails(Buffer.concat([Buffer.from('{"a":"x"}\n{"a":"'), Buffer.of(0xff), Buffer.from('"}\n')]), {
    code: 'invalid-file',
    detail: /^data\.jsonl row 2: not UTF-8/,
  })
})

test('half a surrogate pair is refused, in values and in names', async () => {
  await fails('{"a":"\\ud800"}\n', { code: 'invalid-sample', detail: /row 1 column "a": half a surrogate pair/ })
  await fails('{"\\udc00":1}\n', { code: 'invalid-sample', detail: /row 1 column .*half a surrogate pair/ })
})

test('a line over 16 MiB is refused before the rest of the file is read', async () => {
  let handedOut = 0
  const endless = {
    path: 'data.jsonl',
    sizeBytes: 2 ** 30,
    async *bytes() {
      for (const piece = Buffer.alloc(2 ** 20, 'x'); handedOut < 2 ** 30; handedOut += piece.length) yield piece
    },
  }
  await assert.rejects(readFile(endless), { code: 'invalid-file', detail: /^data\.jsonl row 1: a line may have at most 16777216 bytes/ })
  assert.ok(handedOut <= MAX_LINE_BYTES + 2 ** 20)
})

test('more than 4096 columns are refused', async () => {
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`c${i}`, i]))
  await fails(JSON.stringify(wide), { code: 'invalid-sample', detail: /row 1 column "c4096": more than 4096 columns/ })
})

test('nesting that no sample may have is refused, however deep it is', async () => {
  await fails(`{"a":${'['.repeat(65)}${']'.repeat(65)}}`, { code: 'invalid-sample', detail: /nested more than 64 deep/ })
  await fails(`{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`, { code: 'invalid-sample', detail: /nested more than 64 deep/ })
})

test('damaged and truncated compression is refused', async () => {
  const gz = gzipSync('{"a":1}\n'.repeat(1000))
  await fails(gz.subarray(0, -10), { code: 'invalid-file', detail: /^data\.jsonl\.gz: damaged or truncated compression/ }, 'data.jsonl.gz')
  await fails('{"a":1}\n', { code: 'invalid-file', detail: /damaged or truncated compression/ }, 'data.jsonl.gz')
  await fails('{"a":1}\n', { code: 'invalid-file', detail: /damaged or truncated compression/ }, 'data.jsonl.zst')
})

test('a fault of the store goes through as it is, in compressed files too', async () => {
  const fault = new Error('disk on fire')
  for (const path of ['data.jsonl', 'data.jsonl.gz'])
    await assert.rejects(
      readFile({
        path,
        sizeBytes: 100,
        // eslint-disable-next-line require-yield
        async *bytes(): AsyncGenerator<Uint8Array> {
          throw fault
        },
      }),
      (error) => error === fault,
    )
})

test('columns named like the methods of every object are columns like any other', async () => {
  const { schema, rows } = await readFile(sourceOf('data.jsonl', '{"constructor":1,"__proto__":{"x":1}}\n{"toString":"a"}\n'))
  assert.deepEqual(
    schema.map((field) => field.name),
    ['constructor', '__proto__', 'toString'],
  )
  assert.deepEqual(Object.keys(rows[0]!), ['constructor', '__proto__'])
})
