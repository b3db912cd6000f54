/** Numbers that look random and follow from a seed alone, so that an injection is the same on every machine. */
import { mix } from './numeric.ts'

export interface Random {
  /** A whole number from 0 to `bound` − 1, `bound` at most 2^32. */
  below(bound: number): number
  /** `count` different whole numbers below `bound`, in the order drawn. All of them where there are fewer. */
  choose(count: number, bound: number): number[]
}

/** A stream for a name: counters through a 32-bit mixer, two words a number. */
export function createRandom(name: string): Random {
  let key = 0x811c9dc5
  for (let i = 0; i < name.length; i++) key = Math.imul(key ^ name.charCodeAt(i), 0x01000193)
  key = mix(key)
  let counter = 0
  const word = () => mix(key ^ mix(counter++))
  const below = (bound: number) => {
    const fraction = (word() * 0x200000 + (word() >>> 11)) / 0x20000000000000
    return Math.floor(fraction * bound)
  }
  return {
    below,
    choose(count, bound) {
      const moved = new Map<number, number>()
      return Array.from({ length: Math.min(count, bound) }, (_, i) => {
        const at = i + below(bound - i)
        const chosen = moved.get(at) ?? at
        moved.set(at, moved.get(i) ?? i)
        return chosen
      })
    },
  }
}
