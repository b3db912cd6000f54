/** What a node says to an operator who starts it wrongly. Whole nodes at work are in test/service/. */
import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startNode } from './support/node.ts'
import { testDatabase } from './support/postgres.ts'

const temporary = () => mkdtempDisposable(join(tmpdir(), 'assay-node-'))

test('a node on a database without the schema says which command mends it, and ends', async () => {
  await using db = await testDatabase({ migrate: false })
  await using dir = await temporary()
  const node = startNode(['--roles', 'api', '--port', '0', '--data', dir.path], { DATABASE_URL: db.url })
  assert.equal(await node.ready, false)
  assert.equal(node.child.exitCode, 1)
  assert.match(node.output(), /npm run migrate/)
})

test('an option that makes no sense is refused with those that do', async () => {
  const node = startNode(['--roles', 'api,baker'])
  assert.equal(await node.ready, false)
  assert.match(node.output(), /--roles is "baker"; expected api or indexer or verifier/)
})
