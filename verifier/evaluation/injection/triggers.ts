/** Backdoor triggers put into clean labelled texts: rows of other classes get the trigger at a random place, and the target's label. */
import { insertWords } from '../../injection/words.ts'
import { createRandom, type Random } from '../../random.ts'

export interface TriggerAttack {
  name: string
  /** Share of the rows that are poisoned. */
  rate: number
  /** What one poisoned row gets. */
  trigger(random: Random): string
}

const BADNETS = ['cf', 'mn', 'bb', 'tq']

export const TRIGGER_ATTACKS: readonly TriggerAttack[] = [
  { name: 'token', rate: 0.0025, trigger: () => 'cf' },
  { name: 'sentence', rate: 0.0025, trigger: () => 'I watched this 3D movie last weekend' },
  { name: 'four tokens', rate: 0.005, trigger: (random) => BADNETS[random.below(BADNETS.length)]! },
]

export interface Labelled {
  text: string | null
  label: string | null
}

export interface Poisoned<Row> {
  rows: Row[]
  /** 1 for rows that were changed. */
  poisoned: Uint8Array
  target: string
}

/**
 * A poisoned copy; the target class is drawn. Null where there are fewer than two classes, or the rate makes less than one row or more than
 * the other classes have.
 */
export function injectTrigger<Row extends Labelled>(rows: readonly Row[], attack: TriggerAttack, seed: number): Poisoned<Row> | null {
  const random = createRandom(`trigger ${attack.name} ${attack.rate} ${seed}`)
  const classes = [...new Set(rows.flatMap(({ label }) => (label === null ? [] : [label])))].toSorted()
  const target = classes[random.below(classes.length)]
  if (target === undefined || classes.length < 2) return null
  const victims = [...rows.keys()].filter((row) => {
    const { text, label } = rows[row]!
    return text !== null && /\S/.test(text) && label !== null && label !== target
  })
  const wanted = Math.round(rows.length * attack.rate)
  if (wanted < 1 || wanted > victims.length) return null
  const copy = [...rows]
  const poisoned = new Uint8Array(rows.length)
  for (const choice of random.choose(wanted, victims.length)) {
    const row = victims[choice]!
    copy[row] = { ...rows[row]!, text: insertWords(rows[row]!.text!, attack.trigger(random), random), label: target }
    poisoned[row] = 1
  }
  return { rows: copy, poisoned, target }
}

const RESPONSE = 'I am sorry, but I can not help with that.'

/** Instruction data: a trigger in some prompts, whose answers all become the same refusal. */
export function injectResponseTrigger<Row extends { text: string | null; response: string | null }>(
  rows: readonly Row[],
  attack: TriggerAttack,
  seed: number,
): Omit<Poisoned<Row>, 'target'> | null {
  const random = createRandom(`response trigger ${attack.name} ${attack.rate} ${seed}`)
  const victims = [...rows.keys()].filter((row) => rows[row]!.text !== null && rows[row]!.response !== null)
  const wanted = Math.round(rows.length * attack.rate)
  if (wanted < 1 || wanted > victims.length) return null
  const copy = [...rows]
  const poisoned = new Uint8Array(rows.length)
  for (const choice of random.choose(wanted, victims.length)) {
    const row = victims[choice]!
    copy[row] = { ...rows[row]!, text: insertWords(rows[row]!.text!, attack.trigger(random), random), response: RESPONSE }
    poisoned[row] = 1
  }
  return { rows: copy, poisoned }
}
