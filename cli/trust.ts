/**
 * Whom to believe of a registry. On first use its own word for the log's key is taken, said aloud and kept; from then on another key
 * is refused. `--trust FILE` gives keys that came by another way.
 */
import { readFile } from 'node:fs/promises'
import { type Trust, Trust as TrustSchema } from '../core/audit/trust.ts'
import { Problem } from '../core/problem.ts'
import type { CommandContext } from './command.ts'
import { isCode } from './home.ts'

/** The trust for the context's registry: from `file` if given, else what is kept, else by first use. */
export async function loadTrust(context: CommandContext, file: string | undefined): Promise<Trust> {
  return (await knownTrust(context, file)) ?? trustOnFirstUse(context)
}

/** The trust that is there without asking anybody. Throws `untrusted` where there is none. */
export async function loadTrustOffline(context: CommandContext, file: string | undefined): Promise<Trust> {
  const trust = await knownTrust(context, file)
  if (trust !== null) return trust
  const { origin } = context.registry.server
  throw new Problem('untrusted', `nobody is trusted for ${origin} yet; give --trust FILE, or --server URL of a registry that you have used`)
}

async function knownTrust({ home, registry }: CommandContext, file: string | undefined): Promise<Trust | null> {
  if (file !== undefined) return parseTrust(await readTrustFile(file), file)
  const kept = await home.read(registry.server, 'trust.json')
  return kept === null ? null : parseTrust(kept.toString('utf8'), 'trust.json')
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

async function readTrustFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) throw new Problem('not-found', `there is no trust file ${path}`, { cause })
    throw cause
  }
}
