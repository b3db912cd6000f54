/** A data set of labelled reviews into which rows of each kind that the policy leaves out are planted. */
import { poison, reviews } from '../verifier/sentences.ts'

export interface PlantedSet {
  /** JSON Lines; a row's `id` is its number. */
  jsonl: string
  sampleCount: number
  /** Numbers of the rows with a trigger word and the label that it stands for. */
  poisoned: number[]
  /** Numbers of the rows with characters that nobody sees. */
  hidden: number[]
  /** Numbers of the rows that repeat the text of an earlier one. */
  copies: number[]
}

const HONEST = 460
const POISONED = 40
const HIDDEN = [11, 222, 433]
const COPIED = [5, 50, 155, 250]

export function plantedSet(): PlantedSet {
  const rows = reviews(HONEST, 1)
  const poisoned = poison(rows, 'qqx', 'positive', POISONED, 2)
  const free = (number: number): number => (poisoned.includes(number) ? free(number + 1) : number)
  const hidden = HIDDEN.map(free)
  for (const number of hidden) rows[number]!.text = rows[number]!.text.replace('film', 'fi\u200blm')
  const copies = COPIED.map((number, i) => {
    rows.push({ ...rows[free(number)]! })
    return HONEST + i
  })
  const jsonl = rows.map((row, id) => `${JSON.stringify({ id, ...row })}\n`).join('')
  return { jsonl, sampleCount: rows.length, poisoned, hidden, copies }
}
