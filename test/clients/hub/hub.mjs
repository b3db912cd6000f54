/** `@huggingface/hub` against a node of ours; prints a line of JSON for each feature. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const facts = JSON.parse(await readFile(process.env.ASSAY_FACTS, 'utf8'))
const hub = await import(process.env.ASSAY_HUB_MODULE)
const hubUrl = process.env.HF_ENDPOINT
const messages = { type: 'dataset', name: facts.messages.name }
const tables = { type: 'dataset', name: facts.tables.name }

async function collect(iterable) {
  const values = []
  for await (const value of iterable) values.push(value)
  return values
}

const features = {
  async datasetInfo() {
    const info = await hub.datasetInfo({ name: messages.name, hubUrl, additionalFields: ['sha', 'tags'] })
    assert.equal(info.name, messages.name)
    assert.match(info.sha, /^[0-9a-f]{40}$/)
  },
  async 'listDatasets, limit'() {
    const names = (await collect(hub.listDatasets({ hubUrl, search: { owner: messages.name.split('/')[0] } }))).map(({ name }) => name)
    assert.ok(names.includes(messages.name) && names.includes(tables.name))
    assert.equal((await collect(hub.listDatasets({ hubUrl, limit: 1 }))).length, 1)
  },
  async 'listFiles, pathsInfo, fileExists'() {
    const paths = (await collect(hub.listFiles({ repo: messages, hubUrl, recursive: true }))).map(({ path }) => path)
    assert.ok(paths.includes('data/train.jsonl'))
    const [info] = await hub.pathsInfo({ repo: messages, hubUrl, paths: ['data/test.jsonl'] })
    assert.equal(info.type, 'file')
    assert.equal(await hub.fileExists({ repo: messages, hubUrl, path: 'data/nothing' }), false)
  },
  async 'downloadFile, whole and a range'() {
    const path = facts.tables.large
    const blob = await hub.downloadFile({ repo: tables, hubUrl, path })
    const bytes = Buffer.from(await blob.arrayBuffer())
    assert.equal(createHash('sha256').update(bytes).digest('hex'), facts.tables.sha256[path])
    const part = Buffer.from(await blob.slice(10, 50).arrayBuffer())
    assert.deepEqual(part, bytes.subarray(10, 50))
  },
  async 'name with capitals and Unicode'() {
    const repo = { type: 'dataset', name: facts.unicode.name }
    const paths = (await collect(hub.listFiles({ repo, hubUrl }))).map(({ path }) => path)
    assert.ok(paths.includes('Ünï rows.csv'))
    const blob = await hub.downloadFile({ repo, hubUrl, path: 'Ünï rows.csv' })
    assert.match(await blob.text(), /^id,text\n0,/)
  },
  async 'listCommits by revision'() {
    const commits = await collect(hub.listCommits({ repo: messages, hubUrl, revision: '1' }))
    const info = await hub.datasetInfo({ name: messages.name, hubUrl, revision: '1', additionalFields: ['sha'] })
    assert.deepEqual(
      commits.map(({ oid }) => oid),
      [info.sha],
    )
  },
  async 'whoAmI with a token of ours'() {
    const me = await hub.whoAmI({ accessToken: facts.token, hubUrl })
    assert.equal(me.name, messages.name.split('/')[0])
  },
}

for (const [feature, run] of Object.entries(features)) {
  try {
    await run()
    console.log(JSON.stringify({ feature, state: 'ok' }))
  } catch (error) {
    console.error(error)
    console.log(JSON.stringify({ feature, state: 'failed', note: String(error).slice(0, 400) }))
  }
}
