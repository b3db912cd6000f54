import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashLocalFile, listLocalFiles, localFileBody, readLocalFile } from '../../cli/localFiles.ts'
import { Problem } from '../../core/problem.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { temporaryFolder } from './temporary.ts'

const { signal } = new AbortController()
const ignore = () => undefined

function isProblem(code: string) {
  return (error: unknown) => error instanceof Problem && error.code === code
}

test('a folder gives its files sorted by path, and leaves out names that begin with a dot', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'data'))
  await mkdir(join(folder.path, '.git'))
  for (const path of ['z.txt', 'data/b.jsonl', 'data/a.jsonl', '.hidden', '.git/config']) await writeFile(join(folder.path, path), path)
  const files = await listLocalFiles(folder.path)
  assert.deepEqual(
    files.map(({ path }) => path),
    ['data/a.jsonl', 'data/b.jsonl', 'z.txt'],
  )
})

test('one file is a data set of its own', async () => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'rows.csv'), 'a\n1\n')
  assert.deepEqual(
    (await listLocalFiles(join(folder.path, 'rows.csv'))).map(({ path }) => path),
    ['rows.csv'],
  )
})

test('a symbolic link, an empty folder and a path that is not there are refused', async () => {
  await using folder = await temporaryFolder()
  await assert.rejects(listLocalFiles(folder.path), isProblem('invalid-request'))
  await assert.rejects(listLocalFiles(join(folder.path, 'nothing')), isProblem('not-found'))
  await symlink('/etc/hostname', join(folder.path, 'link'))
  await assert.rejects(listLocalFiles(folder.path), /symbolic link/)
})

test('a name that no data set may have is refused', async () => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'a\nb'), 'x')
  await assert.rejects(listLocalFiles(folder.path), /control character/)
})

test('a file is hashed as its bytes in one piece are', async () => {
  await using folder = await temporaryFolder()
  const bytes = Buffer.alloc(2_500_000, 'some text ')
  await writeFile(join(folder.path, 'big'), bytes)
  const [file] = await listLocalFiles(folder.path)
  let counted = 0
  const { object } = await hashLocalFile(file!, signal, (count) => (counted += count))
  const builder = createFileBuilder()
  builder.push(bytes)
  assert.equal(object.cid.toString(), builder.finish().cid.toString())
  assert.equal(object.sha256, createHash('sha256').update(bytes).digest('hex'))
  assert.equal(object.sizeBytes, bytes.length)
  assert.equal(counted, bytes.length)
})

test('a file that changes while it is read is refused, by its hashing and by its upload', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'growing')
  await writeFile(path, Buffer.alloc(1_500_000))
  const [file] = await listLocalFiles(folder.path)
  const read = async () => {
    for await (const _piece of readLocalFile(file!, signal)) await appendFile(path, 'more')
  }
  await assert.rejects(read(), isProblem('conflict'))
  await assert.rejects(hashLocalFile(file!, signal, ignore), isProblem('conflict'))
  await assert.rejects(new Response(localFileBody(file!, signal, ignore)).arrayBuffer(), isProblem('conflict'))
})

test('an upload sends the bytes as they are', async () => {
  await using folder = await temporaryFolder()
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i * 7))
  await writeFile(join(folder.path, 'file'), bytes)
  const [file] = await listLocalFiles(folder.path)
  const sent = await new Response(localFileBody(file!, signal, ignore)).arrayBuffer()
  assert.ok(bytes.equals(Buffer.from(sent)))
})
