/** RFC 9162 §2.1 as it is written, slow and recursive: the second implementation that the trees are compared with. */
import { createHash } from 'node:crypto'

const sha256 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}

const split = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1)

/** MTH(D_n), §2.1.1. */
export function mth(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256()
  if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0]!)
  const k = split(entries.length)
  return sha256(Uint8Array.of(1), mth(entries.slice(0, k)), mth(entries.slice(k)))
}

/** PATH(m, D_n), §2.1.3.1. */
export function path(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return []
  const k = split(entries.length)
  return m < k ? [...path(m, entries.slice(0, k)), mth(entries.slice(k))] : [...path(m - k, entries.slice(k)), mth(entries.slice(0, k))]
}

/** PROOF(m, D_n), §2.1.4.1, for 0 < m ≤ n. */
export function proof(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  return subproof(m, entries, true)
}

function subproof(m: number, entries: readonly Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (m === entries.length) return isWhole ? [] : [mth(entries)]
  const k = split(entries.length)
  return m <= k
    ? [...subproof(m, entries.slice(0, k), isWhole), mth(entries.slice(k))]
    : [...subproof(m - k, entries.slice(k), false), mth(entries.slice(0, k))]
}

/** `count` different entries. */
export function entriesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new TextEncoder().encode(`entry ${i}`))
}
