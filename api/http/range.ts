/** Byte ranges of RFC 9110 §14: one range a request; several at once are answered with the whole, which §14.2 allows. */

export interface ByteRange {
  offset: number
  length: number
}

/** The range that a `Range` header asks of `sizeBytes` bytes; null: the whole; `unsatisfiable`: answer 416. */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null) return null
  const [, first, last] = match
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { offset: sizeBytes - length, length }
  }
  const offset = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < offset) return null
  if (offset >= sizeBytes) return 'unsatisfiable'
  return { offset, length: end - offset + 1 }
}
