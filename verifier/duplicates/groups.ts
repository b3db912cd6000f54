/** Groups of nearly equal samples, as clusters around the one that is kept. */

/** Each kept sample with the flagged ones of its cluster in rising order; the largest group first, of equal ones that of the lowest kept sample. */
export function groupsOfKept(flagged: Uint8Array, clusters: Int32Array): [kept: number, members: number[]][] {
  const members = new Map<number, number[]>()
  for (const [sample, kept] of clusters.entries()) {
    if (!flagged[sample]) continue
    const group = members.get(kept)
    if (group === undefined) members.set(kept, [sample])
    else group.push(sample)
  }
  return [...members].sort(([a, left], [b, right]) => right.length - left.length || a - b)
}
