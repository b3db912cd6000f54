/** Signing a run and having it recorded. */
import type { DocumentOf, Encoded } from '../core/documents/document.ts'
import { attest } from '../core/statement.ts'
import { withToken } from './account.ts'
import type { CommandContext } from './command.ts'

/** Signs with the user's key, which must be the run's author. */
export async function recordRun(context: CommandContext, run: Encoded<DocumentOf<'run'>>): Promise<void> {
  const { document, bytes } = run
  const envelope = attest(
    { kind: 'run', ...run },
    { signer: await context.home.signer(), createdAt: document.createdAt, name: document.name },
  )
  await withToken(context, (token) => context.registry.recordRun({ document: bytes, envelope }, token))
}
