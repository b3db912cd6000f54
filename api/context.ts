/** What every route is handed. Nothing here reads the environment; `main.ts` fills it in. */
import type { CID } from '../core/cid.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Database } from '../store/database.ts'

export interface ApiLimits {
  /** Largest file that may be uploaded, in bytes. */
  fileBytes: number
  /** Most samples in one JSON page. */
  pageSamples: number
  /** Memory for decoded sample shards and selection bitmaps, in bytes. */
  cacheBytes: number
}

export const DEFAULT_LIMITS: ApiLimits = { fileBytes: 64 * 1024 ** 3, pageSamples: 1000, cacheBytes: 512 * 1024 ** 2 }

/** Something failed that is not the caller's doing; `id` is the one that the caller was told. */
export interface Fault {
  id: string
  method: string
  path: string
  error: unknown
}

export interface ApiContext {
  db: Database
  blocks: Blocks
  /** Where callers reach this service, without a slash at the end. A token request names it as its audience. */
  publicUrl: string
  /** The log's C2SP verification key; its name is the log's origin. */
  logVkey: string
  indexerDid: string
  verifierDid: string
  /** The recipe under which this node verifies. */
  recipeCid: CID
  /** Whether any key may register for a token, or only accounts that hold one already. */
  registration: 'open' | 'closed'
  limits: ApiLimits
  clock: () => Date
  /** Bytes that nobody can guess, for tokens. */
  random: (length: number) => Uint8Array
  /** Receives what is answered with a 5xx; nothing of it is told to the caller but the id. */
  onFault: (fault: Fault) => void
}
