/**
 * Fields of rows and structs, which are plain objects with names that others choose: `constructor` must not be found where no
 * such field is, and `__proto__` must become a field like any other.
 */
import type { Value } from './value.ts'

/** The value of a field; null where there is none. */
export function getField(struct: { [name: string]: Value }, name: string): Value {
  return Object.hasOwn(struct, name) ? (struct[name] ?? null) : null
}

/** Adds a field. */
export function setField<T>(struct: { [name: string]: T }, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(struct, name, { value, enumerable: true, configurable: true, writable: true })
  else struct[name] = value
}
