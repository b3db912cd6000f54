/**
 * Which texts weights were fitted on, beside the weights: the first eight bytes of each text's content hash, ascending. So the bench
 * leaves them out, and nobody can read them.
 */
import { readFile } from 'node:fs/promises'

const KEY_BYTES = 8

/** Of content hashes in hex (split.ts). */
export function encodeLedger(contents: Iterable<string>): Uint8Array {
  const keys = [...new Set([...contents].map((content) => content.slice(0, 2 * KEY_BYTES)))].toSorted()
  return Buffer.from(keys.join(''), 'hex')
}

export interface FitLedger {
  readonly size: number
  has(content: string): boolean
}

/** The union of several ledgers. Throws where a file is missing: then nobody knows what may be scored. */
export async function readLedgers(paths: readonly (string | URL)[]): Promise<FitLedger> {
  const keys = new Set<string>()
  for (const path of paths) {
    const bytes = await readFile(path)
    for (let start = 0; start < bytes.length; start += KEY_BYTES) keys.add(bytes.toString('hex', start, start + KEY_BYTES))
  }
  return { size: keys.size, has: (content) => keys.has(content.slice(0, 2 * KEY_BYTES)) }
}
