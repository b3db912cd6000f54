import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as arrow from 'apache-arrow'
import fc from 'fast-check'
import { Problem } from '../../core/problem.ts'
import { buildBatch, fromArrowSchema, gatherRows, rowAt, rowsOf, selectRows, toArrowSchema } from '../../core/samples/arrow.ts'
import { encodeSample } from '../../core/samples/encoding.ts'
import { Schema } from '../../core/samples/schema.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'
import { anySchema, anyTable } from './arbitraries.ts'

function throughIpc(batch: arrow.RecordBatch): arrow.RecordBatch {
  const bytes = arrow.RecordBatchFileWriter.writeAll([batch]).toUint8Array(true)
  return arrow.tableFromIPC(bytes).batches[0] ?? batch.slice(0, 0)
}

function assertSameRows(actual: readonly Row[], expected: readonly Row[]): void {
  assert.deepEqual(actual.map(encodeSample), expected.map(encodeSample))
}

/** One column of a foreign file. */
function foreign(type: arrow.DataType, vector: arrow.Vector): arrow.RecordBatch {
  const schema = new arrow.Schema([new arrow.Field('c', type, true)])
  const table = new arrow.Table(schema, { c: vector })
  return table.batches[0]!
}

function readForeign(type: arrow.DataType, values: unknown[]): Value[] {
  const batch = foreign(type, arrow.vectorFromArray(values, type))
  return rowsOf(fromArrowSchema(batch.schema), throughIpc(batch)).map((row) => row['c']!)
}

function isProblem(code: string, detail: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code && detail.test(error.detail)
}

suite('samples as Arrow', () => {
  test('law: a schema comes back from its Arrow form', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        assert.deepEqual(fromArrowSchema(toArrowSchema(schema)), Schema.parse(schema))
      }),
    )
  })

  test('law: rows come back from a batch, also through IPC bytes, also one by one', () => {
    fc.assert(
      fc.property(anyTable, ({ schema, rows }) => {
        const batch = buildBatch(schema, rows)
        assertSameRows(rowsOf(schema, batch), rows)
        assertSameRows(rowsOf(schema, throughIpc(batch)), rows)
        rows.forEach((row, index) => assertSameRows([rowAt(schema, batch, index)], [row]))
      }),
      { numRuns: 200 },
    )
  })

  test('law: apache-arrow reads our batches as the values they were built from', () => {
    const schema: Schema = [
      { name: 'text', type: { type: 'utf8' } },
      { name: 'id', type: { type: 'int64' } },
      { name: 'list', type: { type: 'list', items: { type: 'float64' } } },
    ]
    const plain = fc.record(
      {
        text: fc.option(fc.string({ unit: 'grapheme' })),
        id: fc.option(fc.integer()),
        list: fc.option(fc.array(fc.option(fc.double({ noNaN: true })))),
      },
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(fc.array(plain), (rows) => {
        const seen = [...throughIpc(buildBatch(schema, rows))].map((row) => row.toJSON())
        assert.deepEqual(
          seen.map((row) => ({
            text: row['text'],
            id: row['id'] === null ? null : Number(row['id']),
            list: row['list'] && [...row['list']],
          })),
          rows,
        )
      }),
      { numRuns: 100 },
    )
  })

  test('law: the same rows give the same bytes, whatever stands under a null', () => {
    fc.assert(
      fc.property(anyTable, ({ schema, rows }) => {
        const bytes = (batch: arrow.RecordBatch) => arrow.RecordBatchFileWriter.writeAll([batch]).toUint8Array(true)
        const batch = buildBatch(schema, rows)
        assert.deepEqual(bytes(buildBatch(schema, rowsOf(schema, batch))), bytes(batch))
      }),
      { numRuns: 100 },
    )
  })

  test('law: selectRows takes the rows of the indices in their order, from slices too', () => {
    fc.assert(
      fc.property(
        anyTable.filter(({ rows }) => rows.length > 0),
        fc.array(fc.nat()),
        fc.nat(),
        ({ schema, rows }, numbers, cut) => {
          const from = cut % rows.length
          const part = rows.slice(from)
          const indices = numbers.map((number) => number % part.length)
          const taken = selectRows(buildBatch(schema, rows).slice(from), indices)
          assertSameRows(
            rowsOf(schema, throughIpc(taken)),
            indices.map((index) => part[index]!),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  test('law: gatherRows takes rows out of several batches, with and without nulls, in the order that is asked for', () => {
    fc.assert(
      fc.property(
        anyTable.filter(({ rows }) => rows.length > 0),
        fc.array(fc.nat()),
        fc.nat(),
        ({ schema, rows }, numbers, cut) => {
          const middle = cut % rows.length
          const whole = buildBatch(schema, rows)
          const batches = [whole.slice(middle), buildBatch(schema, rows.slice(0, middle))]
          const taken = numbers.map((number) => number % rows.length)
          const places = {
            sources: taken.map((row) => (row < middle ? 1 : 0)),
            indices: taken.map((row) => (row < middle ? row : row - middle)),
          }
          assertSameRows(
            rowsOf(schema, throughIpc(gatherRows(batches, places))),
            taken.map((row) => rows[row]!),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  test('selectRows takes columns by name and refuses one that is not there', () => {
    const schema: Schema = [
      { name: 'a', type: { type: 'utf8' } },
      { name: 'b', type: { type: 'int64' } },
    ]
    const batch = buildBatch(schema, [{ a: 'x', b: 1 }])
    assert.deepEqual(rowsOf([schema[1]!], selectRows(batch, [0], ['b'])), [{ b: 1 }])
    assert.throws(() => selectRows(batch, [0], ['c']), isProblem('not-found', /"c"; there are a, b/))
  })

  test('a text keeps its byte order mark, and a timestamp its nanoseconds', () => {
    const schema: Schema = [
      { name: 't', type: { type: 'utf8' } },
      { name: 'i', type: { type: 'timestamp', unit: 'ns', utc: true } },
    ]
    const row = { t: '\ufeffmarked', i: new Instant(1_700_000_000_123_456_789n) }
    assert.deepEqual(rowsOf(schema, throughIpc(buildBatch(schema, [row]))), [row])
  })

  test('every Arrow type of the table is read', () => {
    assert.deepEqual(readForeign(new arrow.Int8(), [-128, null, 127]), [-128, null, 127])
    assert.deepEqual(readForeign(new arrow.Uint32(), [4294967295]), [4294967295])
    assert.deepEqual(readForeign(new arrow.Uint64(), [2n ** 64n - 1n, 5n]), [2n ** 64n - 1n, 5])
    assert.deepEqual(readForeign(new arrow.Float32(), [0.5, Infinity]), [0.5, Infinity])
    assert.deepEqual(readForeign(new arrow.LargeUtf8(), ['a', null, 'ü']), ['a', null, 'ü'])
    assert.deepEqual(readForeign(new arrow.LargeBinary(), [Uint8Array.of(1, 2)]), [Uint8Array.of(1, 2)])
    assert.deepEqual(readForeign(new arrow.FixedSizeBinary(2), [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]), [
      Uint8Array.of(1, 2),
      Uint8Array.of(3, 4),
    ])
    assert.deepEqual(readForeign(new arrow.DateDay(), [new Date('2026-11-20'), null]), [new CalendarDate(20777), null])
    assert.deepEqual(readForeign(new arrow.DateMillisecond(), [new Date('1969-12-31')]), [new CalendarDate(-1)])
    assert.deepEqual(readForeign(new arrow.TimestampSecond('Europe/Berlin'), [1000]), [new Instant(1_000_000_000n)])
    const item = new arrow.Field('element', new arrow.Int16(), true)
    assert.deepEqual(readForeign(new arrow.List(item), [[1, null], null, []]), [[1, null], null, []])
    assert.deepEqual(readForeign(new arrow.FixedSizeList(2, item), [[1, 2], null, [3, 4]]), [[1, 2], null, [3, 4]])
    const dictionary = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())
    assert.deepEqual(readForeign(dictionary, ['x', 'y', null, 'x']), ['x', 'y', null, 'x'])
    const entries = new arrow.Struct([new arrow.Field('key', new arrow.Utf8(), false), new arrow.Field('value', new arrow.Int32(), true)])
    // apache-arrow types its maps by key and value, and its fields by their children.
    const map = new arrow.Map_(new arrow.Field('entries', entries as never, false))
    assert.deepEqual(readForeign(map, [new Map([['a', 1]]), null]), [[{ key: 'a', value: 1 }], null])
  })

  test('decimals are read as text with all digits of their scale', () => {
    const words = Uint32Array.of(1230, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)
    const type = new arrow.Decimal(2, 10, 128)
    const data = new arrow.Data(type, 0, 2, 0, [undefined, words] as never)
    const batch = foreign(type, new arrow.Vector([data]))
    assert.deepEqual(rowsOf(fromArrowSchema(batch.schema), throughIpc(batch)), [{ c: '12.30' }, { c: '-0.01' }])
  })

  test('law: float16 is read as every one of its values', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const data = new arrow.Data(new arrow.Float16(), 0, bits.length, 0, [undefined, bits] as never)
    const rows = rowsOf([{ name: 'c', type: { type: 'float64' } }], foreign(new arrow.Float16(), new arrow.Vector([data])))
    const expected = new Float16Array(bits.buffer)
    rows.forEach((row, i) => assert.ok(Object.is(row['c'], expected[i]), `bits ${i}`))
  })

  test('law: views are read, short ones in place and long ones from their buffers', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), (texts) => {
        const type = new arrow.Utf8View()
        const stored = Buffer.from(texts.join(''))
        const views = Buffer.alloc(16 * texts.length)
        let offset = 0
        texts.forEach((text, i) => {
          const bytes = Buffer.from(text)
          views.writeInt32LE(bytes.length, 16 * i)
          bytes.copy(views, 16 * i + 4, 0, bytes.length <= 12 ? 12 : 4)
          if (bytes.length > 12) views.writeInt32LE(offset, 16 * i + 12)
          offset += bytes.length
        })
        const data = new arrow.Data(type, 0, texts.length, 0, [undefined, views] as never, [], undefined, [stored])
        const rows = rowsOf([{ name: 'c', type: { type: 'utf8' } }], foreign(type, new arrow.Vector([data])))
        assert.deepEqual(
          rows.map((row) => row['c']),
          texts,
        )
      }),
    )
  })

  test('types without a counterpart, names that appear twice and depth without end are refused by name', () => {
    const refuses = (fields: arrow.Field[], detail: RegExp) =>
      assert.throws(() => fromArrowSchema(new arrow.Schema(fields)), isProblem('unsupported-format', detail))
    refuses([new arrow.Field('when', new arrow.TimeSecond())], /column "when" has the type Time/)
    refuses(
      [new arrow.Field('s', new arrow.Struct([new arrow.Field('d', new arrow.DurationSecond())]))],
      /column "s"\."d" has the type Duration/,
    )
    refuses([new arrow.Field('a', new arrow.Utf8()), new arrow.Field('a', new arrow.Utf8())], /"a" appears twice/)
    refuses(
      Array.from({ length: 5000 }, (_, i) => new arrow.Field(`c${i}`, new arrow.Null())),
      /5000 columns/,
    )
    const deep = Array.from({ length: 100 }).reduce<arrow.DataType>(
      (type) => new arrow.List(new arrow.Field('item', type)),
      new arrow.Utf8(),
    )
    refuses([new arrow.Field('deep', deep)], /nests deeper/)
  })

  test('a value that its column cannot hold exactly is refused, naming row and column', () => {
    const refuses = (type: Schema[number]['type'], value: unknown, detail: RegExp) =>
      assert.throws(
        // The point is what the builder does with what the types forbid.
        () => buildBatch([{ name: 'c', type }], [{ c: null }, { c: value as Value }]),
        isProblem('invalid-sample', detail),
      )
    refuses({ type: 'int64' }, 1.5, /row 1, column "c": expected a whole number .*found "1.5"/)
    refuses({ type: 'int64' }, 2n ** 63n, /expected a whole number/)
    refuses({ type: 'uint64' }, -1, /from 0 to 2\^64/)
    refuses({ type: 'float64' }, 2n ** 53n + 1n, /float holds exactly/)
    refuses({ type: 'float64' }, '1', /float holds exactly/)
    refuses({ type: 'utf8' }, 1, /expected text, found "1"/)
    refuses({ type: 'utf8' }, '\ud800', /surrogate/)
    refuses({ type: 'bool' }, 'x', /true or false/)
    refuses({ type: 'null' }, 0, /expected null/)
    refuses({ type: 'binary' }, 'x', /expected binary/)
    refuses({ type: 'date' }, new Instant(0n), /expected a date, found a point in time/)
    refuses({ type: 'timestamp', unit: 's', utc: true }, new Instant(1n), /unit and range/)
    refuses({ type: 'list', items: { type: 'int64' } }, [1, 'x'], /row 1, column "c": expected a whole number/)
    refuses({ type: 'struct', fields: [{ name: 'd', type: { type: 'bool' } }] }, { d: 1 }, /column "c"\."d": expected true or false/)
    refuses({ type: 'struct', fields: [] }, { e: 1 }, /row 1 has a column "c"\."e" that is not in the schema/)
  })

  test('the row of a problem inside a list is the row that holds the list', () => {
    const schema: Schema = [{ name: 'c', type: { type: 'list', items: { type: 'int64' } } }]
    const rows: Row[] = [{ c: [1, 2] }, { c: [] }, { c: null }, { c: [3, 'x'] }]
    assert.throws(() => buildBatch(schema, rows), isProblem('invalid-sample', /^row 3,/))
  })

  test('buffers that do not hold what they claim are refused', () => {
    const read = (data: arrow.Data) => rowsOf([{ name: 'c', type: { type: 'utf8' } }], foreign(data.type, new arrow.Vector([data])))
    const column = (type: arrow.DataType, length: number, buffers: unknown[], children: arrow.Data[] = []) =>
      new arrow.Data(type, 0, length, 0, buffers as never, children)
    const utf8 = new arrow.Utf8()
    const refused = isProblem('invalid-file', /column "c"/)
    assert.throws(() => read(column(utf8, 1, [Int32Array.of(0, 9), Buffer.from('abc')])), refused)
    assert.throws(() => read(column(utf8, 2, [Int32Array.of(0, 3, 1), Buffer.from('abc')])), refused)
    assert.throws(() => read(column(utf8, 1, [Int32Array.of(-1, 1), Buffer.from('abc')])), refused)
    assert.throws(() => read(column(utf8, 5, [Int32Array.of(0, 1), Buffer.from('abc')])), refused)
    assert.throws(() => read(column(utf8, 1, [Int32Array.of(0, 1), Buffer.of(0xff)])), refused)
    assert.throws(() => read(column(new arrow.Int32(), 3, [undefined, Int32Array.of(1)])), refused)
    const item = column(new arrow.Int32(), 1, [undefined, Int32Array.of(1)])
    assert.throws(() => read(column(new arrow.List(new arrow.Field('item', item.type)), 1, [Int32Array.of(0, 2)], [item])), refused)
  })
})
