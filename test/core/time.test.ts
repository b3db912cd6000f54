import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { formatDate, formatInstant, parseDate, parseInstant } from '../../core/samples/time.ts'
import { CalendarDate } from '../../core/samples/value.ts'
import { anyDate, anyInstant } from './arbitraries.ts'

suite('ISO 8601 text', () => {
  test('law: dates agree with ECMAScript wherever it has them', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
        assert.equal(formatDate(new CalendarDate(days)), new Date(days * 86_400_000).toISOString().split('T')[0])
      }),
    )
  })

  test('law: every date and instant that a column can hold comes back from its text', () => {
    fc.assert(
      fc.property(anyDate, anyInstant, fc.boolean(), (date, instant, utc) => {
        assert.deepEqual(parseDate(formatDate(date)), date)
        assert.deepEqual(parseInstant(formatInstant(instant, utc), utc), instant)
      }),
    )
  })

  test('what is no date or time is null', () => {
    for (const date of [
      '2023-02-29',
      '2023-13-01',
      '2023-00-10',
      '2023-1-1',
      '23-01-01',
      '+002023-01-01',
      '-000000-01-01',
      '',
      '2023-01-01T',
    ])
      assert.equal(parseDate(date), null, date)
    for (const time of ['2023-01-01T24:00:00', '2023-01-01T00:60:00', '2023-01-01T00:00:60', '2023-01-01 00:00:00', '2023-01-01T00:00:00.'])
      assert.equal(parseInstant(time, false), null, time)
  })
})
