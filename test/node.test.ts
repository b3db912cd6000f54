/** Whole nodes, as an operator starts them. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSchemaCurrent } from '../store/migrate.ts'
import { assay, endNode, freePort, startNode } from './support/node.ts'
import { testDatabase } from './support/postgres.ts'

const temporary = () => mkdtempDisposable(join(tmpdir(), 'assay-node-'))

test('twenty processes that start at once against an empty database bring it up to date once', async () => {
  await using db = await testDatabase({ migrate: false })
  await using dir = await temporary()
  const nodes = Array.from({ length: 20 }, () => startNode(['--migrate', '--data', dir.path], { DATABASE_URL: db.url }))
  assert.deepEqual(new Set(await Promise.all(nodes.map((node) => node.ready))), new Set([false]))
  for (const node of nodes) assert.equal(node.child.exitCode, 0, node.output())
  assert.equal(nodes.filter((node) => !node.output().includes('(0 migrations applied)')).length, 1)
  await assertSchemaCurrent(db)
})

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

test('roles in processes of their own, over one database, serve ten clients that publish at once, and end in good order', async () => {
  await using db = await testDatabase()
  await using dir = await temporary()
  const port = await freePort()
  const server = `http://127.0.0.1:${port}`
  const env = { DATABASE_URL: db.url, ASSAY_DATA: join(dir.path, 'data') }
  const start = (role: string, at: number) => startNode(['--roles', role, '--port', String(at)], env)
  const nodes = [start('api', port), start('indexer', 0), start('indexer', 0), start('verifier', 0)]
  for (const node of nodes) assert.equal(await node.ready, true, node.output())

  const publications = Array.from({ length: 10 }, async (_, client) => {
    const home = join(dir.path, `client${client}`)
    const path = join(dir.path, `set${client}.csv`)
    await writeFile(path, `text,label\n${Array.from({ length: 20 }, (_, i) => `client ${client} row ${i},${i % 2}\n`).join('')}`)
    assert.equal((await assay(['keygen'], { home, server })).code, 0)
    return assay(['publish', path, `client${client}/set`, '--license', 'CC0-1.0', '--wait'], { home, server })
  })
  for (const { code, json, errors } of await Promise.all(publications)) {
    assert.equal(code, 0, errors)
    assert.equal((json as { state: string }).state, 'verified')
  }
  for (const node of nodes) assert.equal(await endNode(node, 'SIGTERM'), 0, node.output())
})
