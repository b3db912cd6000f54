/** What was planted against what was found, and what else was flagged. */
import type { FlagName } from '../../core/findings.ts'
import { flagsMask } from '../../core/findings.ts'
import type { Planted, PlantedCorpus } from './plant.ts'

/** The flags that may find a kind of planted row. A near duplicate of few words may be found as a semantic one only. */
const FINDS: Readonly<Record<Planted, readonly FlagName[]>> = {
  poison: ['trigger'],
  hidden: ['hidden_content'],
  exact_duplicate: ['exact_duplicate'],
  near_duplicate: ['near_duplicate'],
}

export interface KindScore {
  kind: Planted
  planted: number
  found: number
  /** Rows in which nothing of the kind was planted and that have one of its flags. */
  others: number
}

/** `flags[i]` is the findings table's bit mask of row i of the corpus. A planted pair counts as found when either row is flagged. */
export function score({ rows, truth, originals }: PlantedCorpus, flags: ArrayLike<number>): KindScore[] {
  const rowOf = new Map(rows.map((row, i) => [row.id, i]))
  return (Object.keys(FINDS) as Planted[]).map((kind) => {
    const mask = flagsMask(FINDS[kind])
    const hit = (id: string) => ((flags[rowOf.get(id) ?? -1] ?? 0) & mask) !== 0
    const planted = [...truth].filter(([, what]) => what === kind).map(([id]) => id)
    const partners = new Set(planted.flatMap((id) => [id, originals.get(id) ?? id]))
    const found = planted.filter((id) => hit(id) || hit(originals.get(id) ?? id)).length
    const others = rows.filter((row) => !partners.has(row.id) && hit(row.id)).length
    return { kind, planted: planted.length, found, others }
  })
}
