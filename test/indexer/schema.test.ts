import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FieldType } from '../../core/samples/schema.ts'
import type { ObservedField } from '../../indexer/readers/reader.ts'
import { createSchemaMerger, widen } from '../../indexer/schema.ts'

function merge(...files: ObservedField[][]) {
  const merger = createSchemaMerger()
  files.forEach((fields, i) => merger.add(`file${i}`, fields))
  return merger.schema()
}

const column = (type: FieldType, name = 'c'): ObservedField => ({ name, type })
const INT: FieldType = { type: 'int64' }
const FLOAT: FieldType = { type: 'float64' }
const TEXT: FieldType = { type: 'utf8' }

test('columns keep the order of their first appearance, and a file may lack some', () => {
  assert.deepEqual(
    merge([column(INT, 'a')], [column(TEXT, 'b'), column(INT, 'a')]).map((field) => field.name),
    ['a', 'b'],
  )
})

test('integers widen to floats, null to anything, timestamps to the finer unit, structs to the union of their fields', () => {
  assert.deepEqual(widen(INT, FLOAT), FLOAT)
  assert.deepEqual(widen({ type: 'null' }, TEXT), TEXT)
  assert.deepEqual(widen({ type: 'int64' }, { type: 'uint64' }), FLOAT)
  assert.deepEqual(widen({ type: 'timestamp', unit: 's', utc: true }, { type: 'timestamp', unit: 'us', utc: true }), {
    type: 'timestamp',
    unit: 'us',
    utc: true,
  })
  assert.equal(widen({ type: 'timestamp', unit: 's', utc: true }, { type: 'timestamp', unit: 's', utc: false }), null)
  assert.deepEqual(
    widen({ type: 'struct', fields: [column(INT, 'x')] }, { type: 'struct', fields: [column(FLOAT, 'x'), column(TEXT, 'y')] }),
    {
      type: 'struct',
      fields: [column(FLOAT, 'x'), column(TEXT, 'y')],
    },
  )
})

test('files that disagree are refused, naming both and the column', () => {
  assert.throws(() => merge([column(INT)], [column(TEXT)]), {
    code: 'invalid-sample',
    detail: 'file1 column "c": utf8 where file0 has int64; files of one data set must agree',
  })
})

test('a CSV column that looks like numbers in one file and like text in another is text', () => {
  const guessed = (type: FieldType): ObservedField => ({ ...column(type), alsoText: true })
  assert.deepEqual(merge([guessed(INT)], [guessed(TEXT)], [guessed(INT)]), [column(TEXT)])
  assert.deepEqual(merge([guessed(INT)], [column(TEXT)]), [column(TEXT)])
  assert.throws(() => merge([column(INT)], [guessed(TEXT)]), { code: 'invalid-sample' })
})

test('law: widening is commutative for scalars, and neither type is lost by doing it again', () => {
  const scalar = fc.constantFrom<FieldType>(
    INT,
    FLOAT,
    TEXT,
    { type: 'null' },
    { type: 'bool' },
    { type: 'uint64' },
    { type: 'binary' },
    { type: 'date' },
  )
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const both = widen(a, b)
      assert.deepEqual(both, widen(b, a))
      if (both !== null) assert.deepEqual(widen(both, a), both)
    }),
  )
})
