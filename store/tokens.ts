/** Bearer tokens: random, shown once, held as their SHA-256. */
import { sql } from 'kysely'
import { utf8ToBytes } from '../core/bytes.ts'
import { sha256 } from '../core/hash.ts'
import type { Database } from './database.ts'

export const SCOPES = ['publish', 'run'] as const
export type Scope = (typeof SCOPES)[number]

export interface Account {
  /** did:key of whoever holds the token. */
  account: string
  scopes: Scope[]
}

const PREFIX = 'assay_'
const TOKEN_BYTES = 32

/** Issues a token of 256 bits from `random` (`length` → that many random bytes) and records its hash. */
export async function issueToken(db: Database, { account, scopes }: Account, random: (length: number) => Uint8Array): Promise<string> {
  const token = PREFIX + Buffer.from(random(TOKEN_BYTES)).toString('base64url')
  await db
    .insertInto('tokens')
    .values({ hash: tokenHash(token), account, scopes: [...new Set(scopes)].sort(), revoked_at: null })
    .execute()
  return token
}

/** The account of a token, which may stand behind `hf_`; null when we did not issue it or it was revoked. */
export async function findToken(db: Database, given: string): Promise<Account | null> {
  const token = bare(given)
  if (!token.startsWith(PREFIX) || token.length > 128) return null
  const row = await db
    .selectFrom('tokens')
    .select(['account', 'scopes'])
    .where('hash', '=', tokenHash(token))
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row === undefined ? null : { account: row.account, scopes: SCOPES.filter((scope) => row.scopes.includes(scope)) }
}

/** Whether an account holds a token that is valid. */
export async function hasToken(db: Database, account: string): Promise<boolean> {
  const row = await db
    .selectFrom('tokens')
    .select('account')
    .where('account', '=', account)
    .where('revoked_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Revokes a token for good. True if it was valid until now. */
export async function revokeToken(db: Database, given: string): Promise<boolean> {
  const token = bare(given)
  const result = await db
    .updateTable('tokens')
    .set({ revoked_at: sql`now()` })
    .where('hash', '=', tokenHash(token))
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Clients of the Hugging Face Hub send no token that does not begin with `hf_`. */
function bare(token: string): string {
  return token.startsWith(`hf_${PREFIX}`) ? token.slice(3) : token
}

function tokenHash(token: string): Uint8Array {
  return sha256(utf8ToBytes(token))
}
