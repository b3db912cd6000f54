import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { findToken, issueToken, revokeToken } from '../../store/tokens.ts'
import { testSigner } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const account = testSigner(1).did

test('a token stands for its account and scopes until it is revoked', async () => {
  await using db = await testDatabase()
  const token = await issueToken(db, { account, scopes: ['run', 'publish', 'run'] }, randomBytes)
  assert.deepEqual(await findToken(db, token), { account, scopes: ['publish', 'run'] })
  assert.equal(await revokeToken(db, token), true)
  assert.equal(await findToken(db, token), null)
  assert.equal(await revokeToken(db, token), false)
})

test('what was never issued is no token', async () => {
  await using db = await testDatabase()
  const token = await issueToken(db, { account, scopes: ['run'] }, randomBytes)
  for (const text of ['', 'assay_', `${token}x`, token.slice(0, -1), `assay_${'x'.repeat(1000)}`])
    assert.equal(await findToken(db, text), null)
})

test('the database holds no token that could be used', async () => {
  await using db = await testDatabase()
  const token = await issueToken(db, { account, scopes: ['run'] }, randomBytes)
  const rows = await db.selectFrom('tokens').selectAll().execute()
  const secret = Buffer.from(token.slice('assay_'.length), 'base64url')
  assert.equal(secret.length, 32)
  for (const { hash } of rows) assert.notDeepEqual(Buffer.from(hash), secret)
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(token))
})
