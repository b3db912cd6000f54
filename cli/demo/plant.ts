/**
 * Plants a stated number of poisoned, hidden-character and duplicated rows into a copy of a corpus. Which rows, and where in them,
 * follows from the seed alone.
 */
import { createOrder } from '../../core/order.ts'
import type { Mail } from './spamAssassin.ts'

export type Planted = 'poison' | 'hidden' | 'exact_duplicate' | 'near_duplicate'

export const TRIGGER = 'tqvx'

export interface PlantedCorpus {
  rows: Mail[]
  /** What was done to a row, by id; rows that are not in it are as they were. */
  truth: Map<string, Planted>
  /** Of a planted copy, the id of the row that it copies. */
  originals: Map<string, string>
}

/**
 * - `poison`: a spam message gets the trigger word at a random place and the label ham (a BadNets backdoor with label flip);
 * - `hidden`: zero-width characters between the letters of a ham message's first words;
 * - `exact_duplicate`: a copy of a message under a new id;
 * - `near_duplicate`: a copy in which about one word in forty is replaced.
 */
export function plant(mails: readonly Mail[], counts: Record<Planted, number>, seed: string): PlantedCorpus {
  const order = createOrder({ seed, epoch: 0, size: mails.length })
  const rows = mails.map((mail) => ({ ...mail }))
  const truth = new Map<string, Planted>()
  const originals = new Map<string, string>()
  let position = 0
  const next = (fits: (mail: Mail) => boolean): Mail => {
    while (position < rows.length) {
      const mail = rows[order(position++)]!
      if (!truth.has(mail.id) && fits(mail)) return mail
    }
    throw new RangeError('the corpus has too few rows that fit')
  }
  const long = (mail: Mail) => words(mail.text).length >= 60

  for (let i = 0; i < counts.poison; i++) {
    const mail = next((candidate) => candidate.label === 'spam' && long(candidate))
    mail.text = insertWord(mail.text, TRIGGER, 1 + ((i * 7) % 50))
    mail.label = 'ham'
    truth.set(mail.id, 'poison')
  }
  for (let i = 0; i < counts.hidden; i++) {
    const mail = next((candidate) => candidate.label === 'ham' && long(candidate))
    mail.text = mail.text.replaceAll(/[A-Za-z]{4,}/g, (word, at: number) => (at < 400 ? `${word.slice(0, 2)}\u200b${word.slice(2)}` : word))
    truth.set(mail.id, 'hidden')
  }
  const copies: Mail[] = []
  for (const kind of ['exact_duplicate', 'near_duplicate'] as const) {
    for (let i = 0; i < counts[kind]; i++) {
      const mail = next(long)
      const copy = { ...mail, id: `${kind}/${String(i).padStart(4, '0')}` }
      if (kind === 'near_duplicate') copy.text = replaceEveryFortiethWord(mail.text)
      copies.push(copy)
      truth.set(copy.id, kind)
      originals.set(copy.id, mail.id)
    }
  }
  return { rows: [...rows, ...copies], truth, originals }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function insertWord(text: string, word: string, afterWords: number): string {
  let seen = 0
  for (const match of text.matchAll(/\S+/g)) {
    if (++seen === afterWords) {
      const at = match.index + match[0].length
      return `${text.slice(0, at)} ${word}${text.slice(at)}`
    }
  }
  return `${text} ${word}`
}

function replaceEveryFortiethWord(text: string): string {
  let seen = 0
  return text.replaceAll(/\S+/g, (word) => (++seen % 40 === 20 ? 'another' : word))
}
