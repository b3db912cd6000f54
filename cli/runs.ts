/** Signing a run and having it recorded and logged. */
import type { DocumentOf, Encoded } from '../core/documents/document.ts'
import type { CID } from '../core/cid.ts'
import { attest } from '../core/statement.ts'
import { withToken } from './account.ts'
import type { CommandContext } from './command.ts'

const POLL_MS = 100
/** A log that is this slow is not waited for: what was recorded will be logged, and receipts and audits say until then that it is not. */
const LOGGED_WITHIN_MS = 10_000

/** Signs with the user's key, which must be the run's author; returns when the log has the run, so that it can be audited at once. */
export async function recordRun(context: CommandContext, run: Encoded<DocumentOf<'run'>>): Promise<void> {
  const { document, bytes } = run
  const envelope = attest(
    { kind: 'run', ...run },
    { signer: await context.home.signer(), createdAt: document.createdAt, name: document.name },
  )
  await withToken(context, (token) => context.registry.recordRun({ document: bytes, envelope }, token))
  await untilLogged(context, run.cid)
}

async function untilLogged({ registry, clock, delay, signal, output }: CommandContext, document: CID): Promise<void> {
  const deadline = clock().getTime() + LOGGED_WITHIN_MS
  for (;;) {
    const attestations = await registry.attestations(document)
    if (attestations.some(({ logIndex }) => logIndex !== null)) return
    if (clock().getTime() > deadline) return output.note('the log has not taken the run yet; it will')
    await delay(POLL_MS, signal)
  }
}
