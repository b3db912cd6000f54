/**
 * Data sets that an operator has chosen, in a file beside the node's data: DAG-JSON, a list sorted by the entries' names. All workers of an
 * installation need the same.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { encodeDagJson, parseDagJson } from '../core/documents/document.ts'
import { Problem } from '../core/problem.ts'

export interface SettingsFile<Entry> {
  /** The chosen entries; none where there is no file. Throws `invalid-document` where it cannot be read. */
  read(path: string): Promise<Entry[]>
  /** Adds an entry, in the place of one that has its name. Throws `invalid-document` for one that does not do. */
  add(path: string, entry: Entry): Promise<void>
  /** Takes an entry out; false where there is none of that name. */
  remove(path: string, name: string): Promise<boolean>
}

const MAX_ENTRIES = 256

/** A file of entries that `nameOf` tells apart; `what` names them for a person. */
export function settingsFile<Entry>(schema: z.ZodType<Entry>, nameOf: (entry: Entry) => string, what: string): SettingsFile<Entry> {
  const Entries = z.array(schema).max(MAX_ENTRIES)

  function validate(value: unknown, path: string): Entry[] {
    const result = Entries.safeParse(value)
    if (!result.success) throw new Problem('invalid-document', `${path}: ${result.error.issues[0]?.message ?? `not a list of ${what}`}`)
    return result.data
  }

  async function read(path: string): Promise<Entry[]> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    return bytes === null ? [] : validate(parseDagJson(bytes), path)
  }

  async function write(path: string, entries: readonly Entry[]): Promise<void> {
    const sorted = validate(entries, path).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    await mkdir(dirname(path), { recursive: true })
    const partial = `${path}.${randomUUID()}`
    await writeFile(partial, encodeDagJson(sorted))
    await rename(partial, path)
  }

  return {
    read,
    async add(path, entry) {
      const others = (await read(path)).filter((other) => nameOf(other) !== nameOf(entry))
      await write(path, [...others, entry])
    },
    async remove(path, name) {
      const all = await read(path)
      const others = all.filter((entry) => nameOf(entry) !== name)
      if (others.length < all.length) await write(path, others)
      return others.length < all.length
    },
  }
}
