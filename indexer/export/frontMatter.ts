/** What a published README.md says in its metadata block (YAML between two lines of `---`) about configurations. */
import { z } from 'zod'
import { parse } from 'yaml'
import type { Config } from '../../core/hub/configs.ts'
import type { Plain } from '../../core/hub/yaml.ts'

export const MAX_README_BYTES = 1024 * 1024
/** A few lines of YAML can stand for gigabytes of aliases. */
const MAX_ALIASES = 20

const Metadata = z.looseObject({ configs: z.array(z.looseObject({ config_name: z.string() })).optional() })

/** The configurations; none where there are none, null where the block cannot be read: then nothing is added to it. */
export function configsOf(readme: string): Config[] | null {
  const block = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(readme)?.[1]
  if (block === undefined) return []
  try {
    const metadata = Metadata.safeParse(parse(block, { maxAliasCount: MAX_ALIASES, schema: 'core' }) ?? {})
    if (!metadata.success) return null
    // By way of JSON: what is left is what JSON can say.
    return JSON.parse(JSON.stringify(metadata.data.configs ?? [])) as (Config & { [key: string]: Plain })[]
  } catch {
    return null
  }
}
