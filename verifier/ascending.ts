/** Sets kept as ascending typed arrays without repeats. */

/** |A ∩ B|, in one pass over both. */
export function sharedCount<T extends Int32Array | Uint32Array>(a: T, b: T): number {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i]! === b[j]!) {
      shared++
      i++
      j++
    } else if (a[i]! < b[j]!) i++
    else j++
  }
  return shared
}
