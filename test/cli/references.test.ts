/** Human reference texts as an operator has them: the real CLI, its tools and a real node that is started again. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import { parseDocument } from '../../core/documents/document.ts'
import { DetectorRun } from '../../core/documents/report.ts'
import { folderOf, SHIPPED, type ShippedReference } from '../../cli/references/shipped.ts'
import { referenceSettings } from '../../verifier/references/settings.ts'
import { countWords } from '../../verifier/synthetic/windows.ts'
import { type NodeProcess, assay, endNode, freePort, startNode } from '../support/node.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { temporaryFolder } from './temporary.ts'

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

test('the texts that ship are what the table says: digest, number, length, and no two alike', async () => {
  for (const shipped of SHIPPED) {
    const folder = folderOf(shipped)
    const rows = zstdDecompressSync(await readFile(new URL(shipped.file, folder)))
    assert.equal(createHash('sha256').update(rows).digest('hex'), shipped.sha256)
    assert.ok((await readFile(new URL('README.md', folder), 'utf8')).includes(shipped.sha256))
    const texts = await textsOf(shipped)
    assert.equal(texts.length, shipped.sampleCount)
    assert.equal(new Set(texts).size, texts.length)
    assert.ok(texts.every((text) => countWords(text) >= 50))
  }
})

describe('reference texts of a node', { concurrency: 1 }, () => {
  let db: TestDatabase
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let node: NodeProcess
  let server: string
  let data: string

  async function start(): Promise<void> {
    const port = new URL(server).port
    node = startNode(['--data', data, '--port', port], { DATABASE_URL: db.url })
    assert.equal(await node.ready, true, node.output())
  }

  before(async () => {
    db = await testDatabase()
    folder = await temporaryFolder()
    data = join(folder.path, 'node')
    server = `http://127.0.0.1:${await freePort()}`
    await start()
    assert.equal((await assay(['keygen'], { home: join(folder.path, 'operator'), server })).code, 0)
  })

  after(async () => {
    await endNode(node, 'SIGTERM')
    await db[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** A line of the CLI as a process: its tools write to its own output. */
  function operator(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, ASSAY_DATA: data, ASSAY_SERVER: server, ASSAY_HOME: join(folder.path, 'operator') }
    return new Promise((resolve) => {
      execFile(process.execPath, [CLI, ...words], { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr }),
      )
    })
  }

  /** What the node will read as it starts. */
  const references = () => referenceSettings.read(join(data, 'references.json'))

  async function publish(name: string, texts: readonly string[], ...words: string[]): Promise<void> {
    const path = join(folder.path, name.replace('/', '-'))
    await mkdir(path, { recursive: true })
    await writeFile(join(path, 'rows.jsonl'), texts.map((text) => JSON.stringify({ text }) + '\n').join(''))
    const line = ['publish', path, name, '--license', 'CC0-1.0', '--wait', ...words]
    const { code, errors } = await assay(line, { home: join(folder.path, 'operator'), server })
    assert.equal(code, 0, errors)
  }

  async function detectorOf(name: string, id: string): Promise<z.infer<typeof DetectorRun>> {
    const { code, json, errors } = await assay(['report', name], { home: join(folder.path, 'operator'), server })
    assert.ok(code < 2, errors)
    const { detectors } = z.object({ detectors: z.array(DetectorRun) }).parse(json)
    return detectors.find((run) => run.id === id)!
  }

  test('there are none until an operator adds some', async () => {
    assert.deepEqual(await references(), [])
    assert.match((await operator('reference', 'list')).stdout, /^there are none in .*references\.json$/m)
  })

  test('a data set will do where it has enough different texts that are long enough, and does not declare itself synthetic', async () => {
    await publish('operator/short', Array.from({ length: 120 }, (_, i) => `Only a line, number ${i}.`), '--language', 'en', '--domain', 'notes') // prettier-ignore
    const short = await operator('reference', 'add', 'operator/short')
    assert.equal(short.code, 2, short.stdout)
    assert.match(
      short.stderr,
      /has 0 different texts that are long enough .* at least 99 of about one length are needed, and 300 recommended/,
    )
    await publish('operator/made', essays(100), '--synthetic', 'some')
    const made = await operator('reference', 'add', 'operator/made', '--cell', 'en/essay')
    assert.equal(made.code, 2)
    assert.match(made.stderr, /declares that some of it is synthetic/)
    assert.deepEqual(await references(), [])
  })

  test('a cell is what its manifest declares or what the operator says, and is given up for other texts only on demand', async () => {
    await publish('operator/essays', essays(99))
    const undeclared = await operator('reference', 'add', 'operator/essays')
    assert.deepEqual([undeclared.code, /--cell LANG\/DOMAIN/.test(undeclared.stderr)], [2, true], undeclared.stderr)
    const misspelt = await operator('reference', 'add', 'operator/essays', '--cell', 'english essays')
    assert.deepEqual([misspelt.code, /no cell of reference texts/.test(misspelt.stderr)], [2, true], misspelt.stderr)
    const added = await operator('reference', 'add', 'operator/essays', '--cell', 'en/essay')
    assert.equal(added.code, 0, added.stderr)
    assert.match(added.stdout, /en\/essay \(texts: 99, usable: 99\)/)
    assert.match(added.stderr, /does not say that people wrote it/)
    assert.match(added.stderr, /99 usable texts are few/)
    assert.match(added.stderr, /too few are of 100 to 179 and 180 or more words/)
    const [before] = await references()

    await publish('operator/more-essays', essays(300), '--language', 'en', '--domain', 'essay', '--synthetic', 'none')
    const refused = await operator('reference', 'add', 'operator/more-essays')
    assert.deepEqual([refused.code, /en\/essay has reference texts already/.test(refused.stderr)], [1, true], refused.stderr)
    assert.deepEqual(await references(), [before])
    const replaced = await operator('reference', 'add', 'operator/more-essays', '--replace')
    assert.equal(replaced.code, 0, replaced.stderr)
    assert.deepEqual((await references()).map(({ cell, sampleCount }) => [cell, sampleCount]), [['en/essay', 300]]) // prettier-ignore
  })

  test('the texts that ship are published and added by one command, which may be repeated', async () => {
    for (let i = 0; i < 2; i++) {
      const { code, stdout, stderr } = await operator('reference', 'add', 'default')
      assert.equal(code, 0, stderr)
      for (const { description, sampleCount } of SHIPPED)
        assert.ok(stdout.includes(`en/${description.domain} (texts: ${sampleCount}, usable: ${sampleCount})`), stdout)
    }
    assert.deepEqual((await references()).map(({ cell }) => cell), ['en/country-profile', 'en/essay', 'en/political-speech']) // prettier-ignore
  })

  test('the node names them in its recipe from its next start on, and verifies everything again under it', async () => {
    const chosen = await references()
    await endNode(node, 'SIGTERM')
    await start()
    await publish('operator/speech', await shippedTexts(60), '--language', 'en-US', '--domain', 'political-speech', '--synthetic', 'none')
    const { json } = await assay(['status', 'operator/speech'], { home: join(folder.path, 'operator'), server })
    const { reports } = z.object({ reports: z.array(z.object({ recipe: z.string() })) }).parse(json)
    const answer = await fetch(`${server}/ipfs/${reports[0]!.recipe}?format=raw`)
    const recipe = parseDocument('recipe', await answer.bytes()).document
    assert.deepEqual(recipe.references, chosen)
  })

  test('a data set is scored against the texts of its language and kind, and of no others', async () => {
    const speech = await detectorOf('operator/speech', 'synthetic_text')
    assert.deepEqual([speech.ran, speech.scoredSamples], [true, 60], speech.note)
    assert.match(speech.note!, /en\/political-speech/)
    await publish('operator/news', await shippedTexts(10), '--language', 'en', '--domain', 'news')
    const news = await detectorOf('operator/news', 'synthetic_text')
    assert.deepEqual(
      [news.ran, news.note],
      [false, 'The recipe names no human reference texts for en/news; an operator adds them with assay reference add.'],
    )
  })

  test('a cell can be removed, once, and what is left is listed', async () => {
    assert.equal((await operator('reference', 'remove', 'en/essay')).code, 0)
    const again = await operator('reference', 'remove', 'en/essay')
    assert.deepEqual([again.code, /no reference texts for en\/essay/.test(again.stderr)], [1, true], again.stderr)
    const listed = await operator('reference', 'list', '--json')
    const left = (await references()).map((one) => ({ ...one, index: one.index.toString() }))
    assert.deepEqual(JSON.parse(listed.stdout), left)
    assert.deepEqual(left.map(({ cell }) => cell), ['en/country-profile', 'en/political-speech']) // prettier-ignore
  })
})

/** The first texts that ship for en/political-speech. */
async function shippedTexts(count: number): Promise<string[]> {
  const [shipped] = SHIPPED
  return (await textsOf(shipped!)).slice(0, count)
}

async function textsOf(shipped: ShippedReference): Promise<string[]> {
  const rows = zstdDecompressSync(await readFile(new URL(shipped.file, folderOf(shipped)))).toString()
  const Row = z.object({ text: z.string() })
  return rows.trimEnd().split('\n').map((line) => Row.parse(JSON.parse(line)).text) // prettier-ignore
}

/** Texts of 60 words that differ. */
function essays(count: number): string[] {
  const word = (n: number) => `w${((n * 7919) % 10_007).toString(36)}`
  return Array.from({ length: count }, (_, i) => Array.from({ length: 60 }, (_w, j) => word(i * 61 + j * j)).join(' '))
}
