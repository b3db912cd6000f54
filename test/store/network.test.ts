import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_RAW, cidOf } from '../../core/cid.ts'
import { openBlocks } from '../../store/blocks.ts'

test('without a network nobody can reach the blocks', async () => {
  await using blocks = await openBlocks()
  assert.deepEqual(blocks.addresses(), [])
})

test('by default the network listens on this machine alone', async () => {
  await using blocks = await openBlocks({ network: {} })
  assert.ok(blocks.addresses().length > 0)
  for (const address of blocks.addresses()) assert.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//)
})

test('a file is read through a peer that has it, block by block, and kept', async () => {
  await using near = await openBlocks({ network: {} })
  await using far = await openBlocks({ network: { peers: near.addresses() } })
  const bytes = new Uint8Array(2.5 * 1024 * 1024).map((_, i) => i >> 9)
  const { cid } = await near.importBytes(bytes)
  assert.equal(await far.has(cid), false)
  assert.ok(Buffer.from(bytes).equals(await far.readAll(cid, bytes.length)))
  assert.equal(await far.has(cid), true)
  await far.pin(cid)
  assert.equal(await far.isPinned(cid), true)
})

test('a peer that cannot be reached is an error at the start', async () => {
  const nobody = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGRUVh6ZCbVvYxFQyJ8ZvGdCqvBdKHjQXuwZ9JvTzqT8J'
  await assert.rejects(openBlocks({ network: { peers: [nobody] } }))
})

test('a block that no peer has is missing', async () => {
  await using alone = await openBlocks({ network: { fetchMs: 50 } })
  await assert.rejects(alone.get(cidOf(CODEC_RAW, utf8ToBytes('nowhere'))), { code: 'block-missing' })
})
