import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../core/problem.ts'
import { encodeSample } from '../../core/samples/encoding.ts'
import { rowFromJson, rowFromJsonValue, rowToJson } from '../../core/samples/json.ts'
import type { FieldType } from '../../core/samples/schema.ts'
import { CalendarDate, Instant, type Value } from '../../core/samples/value.ts'
import { anyTable } from './arbitraries.ts'

function refuses(type: FieldType, json: unknown, detail = /column "c"/): void {
  assert.throws(
    () => rowFromJsonValue([{ name: 'c', type }], { c: json }),
    (error) => error instanceof Problem && error.code === 'invalid-sample' && detail.test(error.detail),
    `${type.type} must not take ${JSON.stringify(json)}`,
  )
}

function text(type: FieldType, value: Value): string {
  return rowToJson([{ name: 'c', type }], { c: value })
}

suite('rows as JSON', () => {
  test('law: a row that goes through JSON text is the same sample', () => {
    fc.assert(
      fc.property(anyTable, ({ schema, rows }) => {
        for (const row of rows) assert.deepEqual(encodeSample(rowFromJson(schema, rowToJson(schema, row))), encodeSample(row))
      }),
      { numRuns: 300 },
    )
  })

  test('values have the forms that the specification shows', () => {
    assert.equal(text({ type: 'int64' }, 2n ** 53n), '{"c":"9007199254740992"}')
    assert.equal(text({ type: 'int64' }, 2 ** 53 - 1), '{"c":9007199254740991}')
    assert.equal(text({ type: 'float64' }, -Infinity), '{"c":"-Infinity"}')
    assert.equal(text({ type: 'binary' }, Uint8Array.of(255)), '{"c":"/w=="}')
    assert.equal(text({ type: 'date' }, new CalendarDate(-1)), '{"c":"1969-12-31"}')
    const instant = new Instant(1_700_000_000_123_456_789n)
    assert.equal(text({ type: 'timestamp', unit: 'ns', utc: true }, instant), '{"c":"2023-11-14T22:13:20.123456789Z"}')
    assert.equal(text({ type: 'timestamp', unit: 'ns', utc: false }, new Instant(0n)), '{"c":"1970-01-01T00:00:00"}')
  })

  test('JSON of another type than the column is refused', () => {
    refuses({ type: 'null' }, 0)
    refuses({ type: 'bool' }, 1)
    refuses({ type: 'int64' }, 1.5)
    refuses({ type: 'int64' }, 2 ** 53)
    refuses({ type: 'int64' }, '9223372036854775808')
    refuses({ type: 'uint64' }, -1)
    refuses({ type: 'int64' }, '0x10')
    refuses({ type: 'float64' }, '1.5')
    refuses({ type: 'utf8' }, 5)
    refuses({ type: 'utf8' }, '\ud800')
    refuses({ type: 'binary' }, '/x==')
    refuses({ type: 'date' }, '2023-02-29')
    refuses({ type: 'timestamp', unit: 's', utc: true }, '2023-11-14T22:13:20')
    refuses({ type: 'timestamp', unit: 's', utc: false }, '2023-11-14T22:13:20Z')
    refuses({ type: 'timestamp', unit: 's', utc: true }, '2023-11-14T24:00:00Z')
    refuses({ type: 'list', items: { type: 'utf8' } }, 'no list')
    refuses({ type: 'list', items: { type: 'utf8' } }, [1])
    refuses({ type: 'struct', fields: [] }, [])
    refuses({ type: 'struct', fields: [] }, { other: 1 }, /"c"\."other" is not in the schema/)
    assert.throws(() => rowFromJson([], '{'), Problem)
    assert.throws(() => rowFromJson([], '[]'), Problem)
  })

  test('a value that does not fit its column is not written', () => {
    assert.throws(() => text({ type: 'utf8' }, 1), Problem)
    assert.throws(() => text({ type: 'float64' }, 2n ** 53n + 1n), Problem)
  })
})
