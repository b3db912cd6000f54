/** A node whose log is witnessed, the witness being a process of its own: from the commands that an operator types to a proof that a stranger checks. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { signerFromSeed } from '../../core/keys.ts'
import { ed25519Cosigner } from '../../core/log/cosignature.ts'
import { formatKey } from '../../core/log/noteKey.ts'
import { createNodes } from '../service/nodes.ts'
import { until } from '../service/until.ts'
import { assay, endNode, freePort } from '../support/node.ts'
import { testDatabase } from '../support/postgres.ts'
import { temporaryFolder } from '../cli/temporary.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

interface WitnessProcess extends AsyncDisposable {
  child: ChildProcess
  vkey: string
  url: string
}

async function startWitness(words: string[]): Promise<WitnessProcess> {
  const child = spawn(process.execPath, [MAIN, 'witness', ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the witness ended with ${code}`)))
    createInterface(child.stdout).on('line', (text) => text.startsWith('witness NAME ') && resolve(text))
  })
  const [, , vkey, url] = line.split(' ')
  return {
    child,
    vkey: vkey!,
    url: url!,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

test('what a node logs can be proved once the witness has cosigned it, to whoever trusts log and witness', async () => {
  await using db = await testDatabase()
  await using folder = await temporaryFolder()
  await using nodes = createNodes()
  const port = await freePort()
  const server = `http://127.0.0.1:${port}`
  const at = (...parts: string[]) => join(folder.path, ...parts)
  const words = ['--data', at('node'), '--port', String(port)]
  const line = async (args: string[]) => assay(args, { home: at('ada'), server })

  // The log's key is known once the node has run.
  const first = nodes.start(words, { DATABASE_URL: db.url })
  assert.equal(await first.ready, true, first.output())
  const { logVkey } = z.object({ logVkey: z.string() }).parse(await (await fetch(`${server}/v1/service`)).json())
  await endNode(first, 'SIGTERM')

  const witnessWords = ['--name', 'witness.test/w', '--log', logVkey, '--data', at('witness'), '--port', String(await freePort())]
  let witness = await startWitness(witnessWords)
  const policy = `log ${logVkey}\nwitness w ${witness.vkey} ${witness.url}\nquorum w\n`
  await writeFile(at('policy'), policy)
  await writeFile(at('rows.jsonl'), `${JSON.stringify({ text: 'one row of text' })}\n`)

  const second = nodes.start(words, { DATABASE_URL: db.url, ASSAY_WITNESS_POLICY: at('policy') })
  assert.equal(await second.ready, true, second.output())
  await line(['keygen'])
  const published = await line(['publish', at('rows.jsonl'), 'ada/set', '--license', 'CC0-1.0', '--wait', '--json'])
  assert.equal(published.code, 0, published.errors)
  const { manifest } = z.object({ manifest: z.string() }).parse(published.json)

  const proof = await until('the proof', async () => {
    const response = await fetch(`${server}/v1/documents/${manifest}/proof`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    return response.ok && bytes
  })
  await writeFile(at('manifest.tlog-proof'), proof)
  // A stranger: nothing but the file, the log's key and the witness's.
  const stranger = async (file: string) =>
    assay(['verify', at('manifest.tlog-proof'), '--policy', at(file), '--json'], { home: at('stranger'), server: 'http://127.0.0.1:9' })
  assert.equal((await stranger('policy')).code, 0)
  const otherWitness = formatKey(ed25519Cosigner('witness.test/v', signerFromSeed(new Uint8Array(32).fill(7))).key)
  await writeFile(at('stricter'), policy.replace('quorum w', `witness v ${otherWitness}\ngroup both all v w\nquorum both`))
  const refused = await stranger('stricter')
  assert.equal(refused.code, 1)
  assert.match(JSON.stringify(refused.json), /lacks witnesses: 2 of \(v, w\); it has w/)

  // Without its witness the log goes on, unpublished; with it again, it is published.
  await witness[Symbol.asyncDispose]()
  const sizeOf = async () => z.object({ size: z.number() }).parse(await (await fetch(`${server}/v1/log`)).json()).size
  const before = await sizeOf()
  await writeFile(at('rows.jsonl'), `${JSON.stringify({ text: 'another row of text' })}\n`)
  const again = await line(['publish', at('rows.jsonl'), 'ada/set', '--license', 'CC0-1.0', '--json'])
  assert.equal(again.code, 0, again.errors)
  const next = z.object({ manifest: z.string() }).parse(again.json)
  await until('the complaint', () => second.output().includes('are published: the checkpoint lacks witnesses'))
  assert.equal(await sizeOf(), before)
  assert.equal((await fetch(`${server}/v1/documents/${next.manifest}/proof`)).status, 409)

  witness = await startWitness(witnessWords)
  await using _ = witness
  await until('the next checkpoint', async () => (await sizeOf()) > before)
})
