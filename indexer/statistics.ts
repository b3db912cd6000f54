/** Statistics of an index's columns, gathered batch by batch. */
import type { RecordBatch } from 'apache-arrow'
import type { z } from 'zod'
import type { ColumnStatistics as ColumnStatisticsSchema } from '../core/documents/sampleIndex.ts'
import { getField } from '../core/samples/fields.ts'
import type { Field, Schema } from '../core/samples/schema.ts'
import { Instant, type Row } from '../core/samples/value.ts'

export type ColumnStatistics = z.infer<typeof ColumnStatisticsSchema>

const NANOSECONDS = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n } as const

export interface StatisticsCollector {
  /** Takes in rows and the batch that was built of them. */
  add(rows: readonly Row[], batch: RecordBatch): void
  finish(): ColumnStatistics[]
}

export function createStatistics(schema: Schema): StatisticsCollector {
  const columns = schema.map((field) => ({
    field,
    count: 0,
    nullCount: 0,
    minimum: undefined as number | bigint | undefined,
    maximum: undefined as number | bigint | undefined,
    totalBytes: 0,
  }))
  return {
    add(rows, batch) {
      columns.forEach((column, i) => {
        const data = batch.data.children[i]!
        column.count += rows.length
        column.nullCount += column.field.type.type === 'null' ? rows.length : data.nullCount
        if (column.field.type.type === 'utf8' || column.field.type.type === 'binary') {
          const offsets: Int32Array = data.valueOffsets
          column.totalBytes += offsets[rows.length]! - offsets[0]!
          return
        }
        if (!hasRange(column.field)) return
        for (const row of rows) {
          const value = orderedValue(column.field, row)
          // NaN compares as false both ways: it is neither a minimum nor a maximum.
          if (value === null || Number.isNaN(value)) continue
          if (column.minimum === undefined || value < column.minimum) column.minimum = value
          if (column.maximum === undefined || value > column.maximum) column.maximum = value
        }
      })
    },
    finish: () =>
      columns.map(({ field, count, nullCount, minimum, maximum, totalBytes }) => ({
        name: field.name,
        nullCount,
        ...(minimum === undefined ? {} : { minimum: minimum.toString() }),
        ...(maximum === undefined ? {} : { maximum: maximum.toString() }),
        ...((field.type.type === 'utf8' || field.type.type === 'binary') && count > nullCount
          ? { meanLengthBytes: Math.round(totalBytes / (count - nullCount)) }
          : {}),
      })),
  }
}

function hasRange({ type }: Field): boolean {
  return type.type === 'int64' || type.type === 'uint64' || type.type === 'float64' || type.type === 'timestamp'
}

/** A number, or a timestamp in the units of its column. */
function orderedValue({ name, type }: Field, row: Row): number | bigint | null {
  const value = getField(row, name)
  if (value instanceof Instant) return type.type === 'timestamp' ? value.epochNanoseconds / NANOSECONDS[type.unit] : null
  return typeof value === 'number' || typeof value === 'bigint' ? value : null
}
