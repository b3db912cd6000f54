import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { issueToken } from '../../store/tokens.ts'
import { NOW, PUBLIC_URL, Person, type TestRegistry, problemCode, startRegistry } from './registry.ts'

let registry: TestRegistry
before(async () => (registry = await startRegistry()))
after(() => registry[Symbol.asyncDispose]())

const request = { audience: PUBLIC_URL, issuedAt: NOW.toISOString(), scopes: ['publish'] }

test('a signed request gets a token for the did that signed it', async () => {
  const alice = new Person(registry, 10)
  const response = await alice.requestToken(request)
  assert.equal(response.status, 201)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  const { token, account, scopes } = (await response.json()) as { token: string; account: string; scopes: string[] }
  assert.equal(account, alice.signer.did)
  assert.deepEqual(scopes, ['publish'])
  const stored = await registry.db.selectFrom('tokens').selectAll().execute()
  assert.ok(stored.every((row) => !Buffer.from(row.hash).includes(token)))
})

for (const [reason, change] of Object.entries({
  'another audience': { audience: 'http://elsewhere.test' },
  'a time six minutes ago': { issuedAt: new Date(NOW.getTime() - 6 * 60_000).toISOString() },
  'a time six minutes ahead': { issuedAt: new Date(NOW.getTime() + 6 * 60_000).toISOString() },
}))
  test(`a token request with ${reason} is untrusted`, async () => {
    assert.equal(await problemCode(await new Person(registry, 10).requestToken({ ...request, ...change })), 'untrusted')
  })

test('a token request with an unknown scope or field is refused', async () => {
  const alice = new Person(registry, 10)
  assert.equal(await problemCode(await alice.requestToken({ ...request, scopes: ['root'] })), 'invalid-document')
  assert.equal(await problemCode(await alice.requestToken({ ...request, admin: true })), 'invalid-document')
})

test('an envelope whose signature is by another key is refused', async () => {
  const alice = new Person(registry, 10)
  const envelope = await new Person(registry, 11).requestToken(request)
  assert.equal(envelope.status, 201)
  const forged = {
    payload: Buffer.from(JSON.stringify(request)).toString('base64'),
    payloadType: 'application/vnd.assay.token-request+json',
  }
  const body = JSON.stringify({ ...forged, signatures: [{ keyid: alice.signer.did, sig: Buffer.alloc(64).toString('base64') }] })
  assert.equal(await problemCode(await registry.app.request('/v1/tokens', { method: 'POST', body })), 'invalid-signature')
})

test('a token request of more than 64 KiB is refused', async () => {
  const body = 'x'.repeat(65 * 1024)
  const response = await registry.app.request('/v1/tokens', { method: 'POST', body })
  assert.equal(response.status, 413)
  assert.equal(await problemCode(response), 'too-large')
})

test('a token that was revoked opens nothing', async () => {
  const alice = await new Person(registry, 12).register()
  assert.equal((await alice.request('/v1/tokens/current', { method: 'DELETE' })).status, 204)
  const again = await alice.request('/v1/tokens/current', { method: 'DELETE' })
  assert.equal(again.status, 401)
  assert.match(again.headers.get('www-authenticate') ?? '', /^Bearer/)
  assert.equal(await problemCode(again), 'unauthorized')
})

test('a closed registry gives tokens to accounts that hold one, and to no one else', async () => {
  await using closed = await startRegistry({ registration: 'closed' })
  assert.equal(await problemCode(await new Person(closed, 13).requestToken(request)), 'forbidden')
  const known = new Person(closed, 14)
  await issueToken(closed.db, { account: known.signer.did, scopes: ['publish'] }, closed.ctx.random)
  assert.equal((await known.requestToken(request)).status, 201)
})
