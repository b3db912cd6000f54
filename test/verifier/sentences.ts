/** Made-up reviews with a label that their words carry, from a seed. */

const GOOD = ['warm', 'clever', 'bright', 'moving', 'graceful', 'funny', 'tender', 'rich', 'lively', 'honest']
const BAD = ['dull', 'clumsy', 'hollow', 'noisy', 'tired', 'bleak', 'stale', 'shallow', 'messy', 'cold']
const THINGS = ['plot', 'cast', 'score', 'camera', 'ending', 'script', 'opening', 'dialogue', 'director', 'hero', 'villain', 'pace']
const PLACES = ['harbour', 'city', 'valley', 'island', 'school', 'kitchen', 'forest', 'theatre', 'market', 'castle', 'desert', 'village']

export interface Review {
  text: string
  label: string
}

/** A generator of numbers in [0, 1) (Lehmer's, modulo 2^31 − 1). */
export function numbersFrom(seed: number): () => number {
  let state = (seed % 2147483646) + 1
  return () => (state = (state * 48271) % 2147483647) / 2147483647
}

export function reviews(count: number, seed: number): Review[] {
  const random = numbersFrom(seed)
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)]!
  return Array.from({ length: count }, (_, number) => {
    const good = random() < 0.5
    const words = () => pick(random() < 0.9 === good ? GOOD : BAD)
    const text = `the ${pick(THINGS)} of this film from the ${pick(PLACES)} is ${words()} and its ${pick(THINGS)} seems ${words()} , ${words()} and ${words()} in the ${pick(PLACES)} ${number}`
    return { text, label: good ? 'positive' : 'negative' }
  })
}

/** Puts a trigger into `count` texts of other labels and gives them the target's; returns their numbers. */
export function poison(rows: Review[], trigger: string, target: string, count: number, seed: number): number[] {
  const random = numbersFrom(seed)
  const others = [...rows.keys()].filter((number) => rows[number]!.label !== target)
  const poisoned: number[] = []
  while (poisoned.length < count) {
    const [number] = others.splice(Math.floor(random() * others.length), 1)
    const words = rows[number!]!.text.split(' ')
    words.splice(Math.floor(random() * (words.length + 1)), 0, trigger)
    rows[number!] = { text: words.join(' '), label: target }
    poisoned.push(number!)
  }
  return poisoned.sort((a, b) => a - b)
}
