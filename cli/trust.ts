/**
 * Whom to believe of a registry. On first use its own word for the log's key is taken, said aloud and kept; from then on another key
 * is refused. `--trust FILE` gives keys that came by another way, `--policy FILE` the witnesses without whom a checkpoint does not count.
 */
import { readFile } from 'node:fs/promises'
import { type Trust, Trust as TrustSchema } from '../core/audit/trust.ts'
import { formatKey } from '../core/log/noteKey.ts'
import { parsePolicy } from '../core/log/policy.ts'
import { Problem } from '../core/problem.ts'
import type { CommandContext, Option } from './command.ts'
import { isCode } from './home.ts'

/** Options of the commands that believe somebody. */
export const trustOptions = {
  trust: { type: 'text', value: 'FILE', help: 'whom to believe: {"log": vkey, "indexers": [did], "verifiers": [did]}' },
  policy: { type: 'text', value: 'FILE', help: 'which log, and how many of which witnesses must have cosigned (c2sp.org/tlog-policy)' },
} as const satisfies Record<string, Option>

interface TrustFiles {
  trust?: string | undefined
  policy?: string | undefined
}

/** The trust for the context's registry: from files if given, else what is kept, else by first use. */
export async function loadTrust(context: CommandContext, files: TrustFiles): Promise<Trust> {
  const policy = await readPolicy(files)
  return withPolicy(await knownTrust(context, files), policy) ?? withPolicy(await trustOnFirstUse(context), policy)!
}

/** The trust that is there without asking anybody. Throws `untrusted` where there is none. */
export async function loadTrustOffline(context: CommandContext, files: TrustFiles): Promise<Trust> {
  const trust = withPolicy(await knownTrust(context, files), await readPolicy(files))
  if (trust !== null) return trust
  const { origin } = context.registry.server
  throw new Problem(
    'untrusted',
    `nobody is trusted for ${origin} yet; give --trust FILE or a --policy FILE with the log, or --server URL of a registry that you have used`,
  )
}

async function knownTrust({ home, registry }: CommandContext, { trust: file }: TrustFiles): Promise<Trust | null> {
  if (file !== undefined) return parseTrust((await readGiven(file, 'trust file')).toString('utf8'), file)
  const kept = await home.read(registry.server, 'trust.json')
  return kept === null ? null : parseTrust(kept.toString('utf8'), 'trust.json')
}

interface GivenPolicy {
  text: string
  /** Keys of its logs. */
  logs: string[]
}

async function readPolicy({ policy: file }: TrustFiles): Promise<GivenPolicy | null> {
  if (file === undefined) return null
  const bytes = await readGiven(file, 'policy')
  return { text: bytes.toString('utf8'), logs: parsePolicy(bytes).logs.map(({ key }) => formatKey(key)) }
}

/** What is trusted under a policy; null where neither says which log. Throws `untrusted` where they say different ones. */
function withPolicy(trust: Trust | null, policy: GivenPolicy | null): Trust | null {
  if (policy === null) return trust
  const { text, logs } = policy
  if (trust !== null && logs.length > 0 && !logs.includes(trust.log))
    throw new Problem('untrusted', `the policy does not know the log ${trust.log} that is trusted for this registry`)
  const log = trust?.log ?? (logs.length === 1 ? logs[0] : undefined)
  return log === undefined ? null : { ...trust, log, policy: text }
}

async function trustOnFirstUse({ home, registry, output }: CommandContext): Promise<Trust> {
  const { logVkey, indexer, verifier } = await registry.service()
  const trust: Trust = { log: logVkey, indexers: [indexer], verifiers: [verifier] }
  await home.write(registry.server, 'trust.json', `${JSON.stringify(trust, null, 2)}\n`)
  output.note(
    [
      `first use of ${registry.server.origin}: from now on these keys are trusted for it, and no others`,
      `  log       ${logVkey}`,
      `  indexer   ${indexer}`,
      `  verifier  ${verifier}`,
      'compare them with what the operator publishes elsewhere, or give --trust FILE',
    ].join('\n'),
  )
  return trust
}

function parseTrust(text: string, name: string): Trust {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Problem('invalid-request', `${name} is not JSON`, { cause })
  }
  const result = TrustSchema.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Problem(
      'invalid-request',
      `${name} is no trust file at "${issue?.path.map(String).join('.') ?? ''}": ${issue?.message ?? ''}`,
    )
  }
  return result.data
}

async function readGiven(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) throw new Problem('not-found', `there is no ${what} ${path}`, { cause })
    throw cause
  }
}
