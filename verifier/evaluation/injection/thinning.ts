/** Less poison: poisoned rows are left out at random until they are a given share of what stays. */
import { createRandom } from '../../random.ts'

/** The rows that stay, in their order; null where the share is no smaller than it is, or would leave fewer than ten poisoned rows. */
export function thinPoison<Row extends { poisoned: boolean | null }>(rows: readonly Row[], share: number, seed: number): Row[] | null {
  const poisoned = [...rows.keys()].filter((row) => rows[row]!.poisoned === true)
  const wanted = Math.round((share / (1 - share)) * (rows.length - poisoned.length))
  if (wanted >= poisoned.length || wanted < 10) return null
  const stays = new Set(
    createRandom(`thin ${share} ${seed}`)
      .choose(wanted, poisoned.length)
      .map((choice) => poisoned[choice]!),
  )
  return rows.filter(({ poisoned: isPoisoned }, row) => isPoisoned !== true || stays.has(row))
}
