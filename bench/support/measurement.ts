/** A figure beside its floor: both sides do the same work by turns in one run, so that their ratio holds on a busy machine too. */

/** One side of a comparison. */
export interface Side {
  /** Makes a round ready; its time does not count. */
  prepare?: (round: number) => Promise<void>
  /** Does the work and returns how many units of it that was. */
  run: (round: number) => Promise<number>
}

export interface Measurement {
  /** What was measured, such as `index JSONL`. */
  name: string
  /** Of figure and floor. */
  unit: string
  /** Medians over the rounds. */
  figure: number
  floor: number
  /** The median of the rounds' own ratios, which is not the ratio of the medians. */
  ratio: number
  rounds: { figure: number; floor: number }[]
  /** What the floor does. */
  against: string
  /** How much work one round is. */
  size: string
  /** The ratio that is promised. */
  required?: number
}

export interface Comparison extends Pick<Measurement, 'name' | 'unit' | 'against' | 'size' | 'required'> {
  subject: Side
  floor: Side
  rounds: number
}

/** Runs both sides once to warm up, then `rounds` times, the one that goes first changing from round to round. */
export async function compare({ subject, floor, rounds: count, ...description }: Comparison): Promise<Measurement> {
  const rounds: Measurement['rounds'] = []
  for (let round = 0; round <= count; round++) {
    const first = round % 2 === 0 ? subject : floor
    const firstRate = await rateOf(first, round)
    const secondRate = await rateOf(first === subject ? floor : subject, round)
    if (round === 0) continue
    rounds.push(first === subject ? { figure: firstRate, floor: secondRate } : { figure: secondRate, floor: firstRate })
  }
  return summarise(description, rounds)
}

/** The measurement that rounds of rates make. */
export function summarise(
  description: Pick<Measurement, 'name' | 'unit' | 'against' | 'size' | 'required'>,
  rounds: Measurement['rounds'],
): Measurement {
  return {
    ...description,
    figure: median(rounds.map(({ figure }) => figure)),
    floor: median(rounds.map(({ floor }) => floor)),
    ratio: median(rounds.map(({ figure, floor }) => figure / floor)),
    rounds,
  }
}

/** Units a second. */
async function rateOf({ prepare, run }: Side, round: number): Promise<number> {
  await prepare?.(round)
  const start = performance.now()
  const units = await run(round)
  return (units * 1000) / (performance.now() - start)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!
}
