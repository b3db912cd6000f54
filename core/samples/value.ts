/**
 * A row as it passes between readers, encoder and detectors. Integers within ±(2^53 − 1) may be `number`, larger ones are
 * `bigint`; a column that a row leaves out reads as null.
 */

/** A point in time (or a wall-clock time where the column has no zone), in nanoseconds since 1970-01-01T00:00:00. */
export class Instant {
  readonly epochNanoseconds: bigint
  constructor(epochNanoseconds: bigint) {
    this.epochNanoseconds = epochNanoseconds
  }
}

/** A calendar date, in days since 1970-01-01. */
export class CalendarDate {
  readonly epochDays: number
  constructor(epochDays: number) {
    this.epochDays = epochDays
  }
}

export type Value = null | boolean | number | bigint | string | Uint8Array | Instant | CalendarDate | Value[] | { [field: string]: Value }

export type Row = { [column: string]: Value }
