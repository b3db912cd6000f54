/** Wrong labels: a share of the labelled rows gets the label of another class, drawn evenly among the others. */
import { createRandom } from '../../random.ts'

export function flipLabels<Row extends { label: string | null }>(
  rows: readonly Row[],
  rate: number,
  seed: number,
): { rows: Row[]; flipped: Uint8Array } {
  const random = createRandom(`flip ${rate} ${seed}`)
  const labelled = [...rows.keys()].filter((row) => rows[row]!.label !== null)
  const classes = [...new Set(labelled.map((row) => rows[row]!.label!))].toSorted()
  const copy = [...rows]
  const flipped = new Uint8Array(rows.length)
  if (classes.length < 2) return { rows: copy, flipped }
  for (const choice of random.choose(Math.round(labelled.length * rate), labelled.length)) {
    const row = labelled[choice]!
    const others = classes.filter((label) => label !== rows[row]!.label)
    copy[row] = { ...rows[row]!, label: others[random.below(others.length)]! }
    flipped[row] = 1
  }
  return { rows: copy, flipped }
}
