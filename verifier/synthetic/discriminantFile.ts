/**
 * Discriminants as they ship, one for each inner layer (README.md): little-endian float16, for each layer the deviations, the shift and the lower
 * triangle of the scatter.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Discriminant, triangleOf } from './discriminant.ts'

/** Layers of the default model that are read, where a text's way of writing stands, with the numbers that each gives. */
export const STYLE_LAYERS = ['block-3', 'block-4'] as const
const DIMENSIONS = 768
const BYTES = 2

export function encodeDiscriminants(discriminants: readonly Discriminant[]): Uint8Array {
  const numbers = discriminants.flatMap(({ deviation, shift, scatter }) => [...deviation, ...shift, ...scatter])
  const view = new DataView(new ArrayBuffer(numbers.length * BYTES))
  for (const [i, number] of numbers.entries()) view.setFloat16(i * BYTES, number, true)
  return new Uint8Array(view.buffer)
}

/** Throws a RangeError where the bytes are not those of `layers` discriminants of so many dimensions. */
export function decodeDiscriminants(bytes: Uint8Array, layers: number, dimensions: number): Discriminant[] {
  const sizes = [dimensions, dimensions, triangleOf(dimensions)]
  const size = sizes.reduce((sum, part) => sum + part, 0)
  if (bytes.length !== layers * size * BYTES) throw new RangeError(`${layers} discriminants have ${layers * size} numbers`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (count: number) => Float64Array.from({ length: count }, () => view.getFloat16(BYTES * at++, true))
  return Array.from({ length: layers }, () => {
    const [deviation, shift, scatter] = sizes.map(take) as [Float64Array, Float64Array, Float64Array] // three sizes, three parts
    return { dimensions, deviation, shift, scatter }
  })
}

const FILE = new URL('./discriminants.f16', import.meta.url)

/** Those that ship with the verifier, in the order of `STYLE_LAYERS`. */
export function readDiscriminants(): Discriminant[] {
  return decodeDiscriminants(readFileSync(FILE), STYLE_LAYERS.length, DIMENSIONS)
}

/** As they stand in a recipe. */
export function discriminantsReference(): { name: string; sha256: string } {
  return { name: 'synthetic-text-discriminants', sha256: createHash('sha256').update(readFileSync(FILE)).digest('hex') }
}
