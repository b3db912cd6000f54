/** The laws `*-signature` and `run-started`: documents have their CIDs, and those who answer for them signed them. */
import { type CID, blockMatches } from '../cid.ts'
import { type DocumentOf, type Encoded, encodeDagJson } from '../documents/document.ts'
import { equalBytes } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { type Attestation, type SignedKind, verifyDocument } from '../statement.ts'
import type { AuditSource, LoggedEnvelope } from './source.ts'
import { type Held, broken, untold } from './step.ts'

/** A document with the signature that was found good. */
export interface Signed<K extends SignedKind> extends Attestation {
  kind: K
  encoded: Encoded<DocumentOf<K>>
  /** Bytes of the envelope. */
  envelope: Uint8Array
  /** Where the source says that the log holds it; proven by a law of its own. */
  logIndex: number | null
}

/** A source that names more envelopes than this for one document is not followed further. */
const MAX_ENVELOPES = 64

/** Some envelope of the document verifies, and its author is among `trusted` where that is given. */
export async function signatureLaw<K extends SignedKind>(
  source: AuditSource,
  kind: K,
  cid: CID,
  trusted?: readonly string[],
): Promise<Held<Signed<K>>> {
  const bytes = await source.document(cid)
  if (!blockMatches(cid, bytes)) broken(`the bytes that are given as this ${kind} have another CID`)
  const envelopes = (await source.envelopes(cid)).slice(0, MAX_ENVELOPES)
  if (envelopes.length === 0) untold(`no signature of this ${kind} is to be had`)

  const signed: Signed<K>[] = []
  const refused: Problem[] = []
  for (const envelope of envelopes) {
    try {
      signed.push(verifyOne(kind, bytes, envelope))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      refused.push(error)
    }
  }
  const counted = signed.filter(({ author }) => trusted === undefined || trusted.includes(author))
  // Prefers a signature that is in the log: a later one may still wait for the sequencer.
  const best = counted.find(({ logIndex }) => logIndex !== null) ?? counted[0]
  if (best !== undefined) return { detail: `signed by ${best.author} at ${best.createdAt}`, value: best }

  const stranger = signed[0]
  if (stranger !== undefined) broken(`signed by ${stranger.author}, whom this audit does not trust for a ${kind}`)
  // Every envelope was either good or refused, and none was good.
  throw refused[0]!
}

function verifyOne<K extends SignedKind>(kind: K, bytes: Uint8Array, { envelope, logIndex }: LoggedEnvelope): Signed<K> {
  return { kind, ...verifyDocument(kind, bytes, envelope), envelope, logIndex }
}

/** The document that announced the run when it started says the same as the one that closed it. */
export async function startedLaw(source: AuditSource, run: Signed<'run'>): Promise<Held<Signed<'run'>>> {
  const { document } = run.encoded
  if (document.previous === undefined) broken(`the ${document.status} run does not name the document that started it`)
  const { value: started } = await signatureLaw(source, 'run', document.previous)
  const before = started.encoded.document
  if (before.status !== 'started') broken(`${document.previous.toString()} is a ${before.status} run, not the start of one`)
  if (before.author !== document.author) broken(`${before.author} started the run, but ${document.author} closed it`)
  if (!equalBytes(planOf(before), planOf(document))) broken('what the run consumed is not what was announced when it started')
  return { detail: `announced at ${started.createdAt} as it was closed`, value: started }
}

/** What a run announces and may not change: all of its consumption but how far it came. */
function planOf({ consumed }: DocumentOf<'run'>): Uint8Array {
  return encodeDagJson(consumed.map((consumption) => ({ ...consumption, steps: null })))
}
