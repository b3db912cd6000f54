import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '../../core/bytes.ts'
import { buildDirectory } from '../../core/unixfs/directory.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { listDirectory, walkDag } from '../../core/unixfs/reader.ts'
import { createBlockMap, importFiles, noise } from './unixfs.ts'

interface SourceFile {
  path: string
  content: Uint8Array
}

/** The directory with the files' own blocks. */
function build(files: readonly SourceFile[]) {
  const { blocks, put, get } = createBlockMap()
  const entries = files.map(({ path, content }) => {
    const builder = createFileBuilder({ onBlock: put })
    builder.push(content)
    const { cid, sizeBytes } = builder.finish()
    return { path, cid, sizeBytes }
  })
  return { cid: buildDirectory(entries, put), blocks, get }
}

function assertSameDag(ours: ReturnType<typeof build>, theirs: Awaited<ReturnType<typeof importFiles>>): void {
  assert.equal(ours.cid.toString(), theirs.cid.toString())
  assert.deepEqual(new Set(ours.blocks.keys()), new Set(theirs.blocks.keys()))
}

const many = (count: number, name: (i: number) => string): SourceFile[] =>
  Array.from({ length: count }, (_, i) => ({ path: name(i), content: utf8ToBytes(String(i % 7)) }))

test('the empty directory has its well-known CID', () => {
  assert.equal(buildDirectory([]).toString(), 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354')
})

test('nested folders are those of ipfs-unixfs-importer', async () => {
  const files = [
    { path: 'b.txt', content: utf8ToBytes('b') },
    { path: 'a/x/1.jsonl', content: noise(3000) },
    { path: 'a/x/2.jsonl', content: noise(1_048_577) },
    { path: 'a/y', content: new Uint8Array(0) },
    { path: 'ä/ß 語', content: utf8ToBytes('ü') },
    { path: '__proto__', content: utf8ToBytes('p') },
  ]
  assertSameDag(build(files), await importFiles(files, { wrap: true }))
})

test('law: directories of any names are those of ipfs-unixfs-importer', async () => {
  const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((name) => `n${name.replaceAll(/[/\\\p{Cc}]/gu, '_')}`)
  const paths = fc.uniqueArray(
    fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.map((name, depth) => `${depth}${name}`).join('/')),
    { minLength: 1, maxLength: 12 },
  )
  const isFree = (all: string[]) => all.every((path) => !all.some((other) => other.startsWith(`${path}/`)))
  await fc.assert(
    fc.asyncProperty(paths.filter(isFree), async (all) => {
      const files = all.map((path, i) => ({ path, content: utf8ToBytes(String(i)) }))
      assertSameDag(build(files), await importFiles(files, { wrap: true }))
    }),
    { numRuns: 30 },
  )
})

test('a directory of many files is the HAMT of ipfs-unixfs-importer', async () => {
  const files = many(6000, (i) => `file-${i}.txt`)
  const ours = build(files)
  assertSameDag(ours, await importFiles(files, { wrap: true }))
  // Golden: ipfs-unixfs-importer 17.1.1, profile unixfs-v1-2025.
  assert.equal(ours.cid.toString(), 'bafybeihegxdug4jgokshdhng7pft7jtnbpmwou2dzg53lrylkbdfy3exd4')
})

test('a directory is sharded when its block would pass 262,144 bytes, and not before', async () => {
  // 1020 links of 257 bytes (framing 3, CID 38, name 3 + 211, size 2) and 4 bytes of data are 262,144 bytes.
  const files = many(1020, (i) => String(i).padStart(4, '0').padEnd(211, '-'))
  const largest = build(files)
  assertSameDag(largest, await importFiles(files, { wrap: true }))
  assert.equal(largest.blocks.get(largest.cid.toString())!.length, 262_144)

  const longer = files.with(0, { ...files[0]!, path: `${files[0]!.path}-` })
  const sharded = build(longer)
  assertSameDag(sharded, await importFiles(longer, { wrap: true }))
  assert.ok(sharded.blocks.get(sharded.cid.toString())!.length < 100_000)
})

test('a sharded folder inside a folder is that of ipfs-unixfs-importer', async () => {
  const files = [{ path: 'README.md', content: utf8ToBytes('#') }, ...many(5000, (i) => `data/part-${i}.jsonl`)]
  assertSameDag(build(files), await importFiles(files, { wrap: true }))
})

test('law: the entries of a directory are those that it was built of, sharded or not', async () => {
  for (const count of [0, 5, 6000]) {
    const files = many(count, (i) => `file-${i}.txt`)
    const { cid, get } = build(files)
    const names = await Array.fromAsync(listDirectory(get, cid), (entry) => entry.name)
    assert.deepEqual(names.sort(), files.map((file) => file.path).sort())
  }
})

test('a walk meets every block of a DAG once', async () => {
  const { cid, blocks, get } = build([...many(5000, (i) => `d/${i}-${'y'.repeat(20)}`), { path: 'large', content: noise(2_500_000) }])
  const walked = await Array.fromAsync(walkDag(get, cid), (block) => block.cid.toString())
  assert.equal(walked[0], cid.toString())
  assert.equal(new Set(walked).size, walked.length)
  assert.deepEqual(new Set(walked), new Set(blocks.keys()))
})

test('a walk fails on a block that is missing', async () => {
  const { cid, blocks, get } = build(many(3, (i) => `${i}.txt`))
  blocks.delete([...blocks.keys()][0]!)
  await assert.rejects(Array.fromAsync(walkDag(get, cid)), /no block/)
})

const leaf = { cid: createFileBuilder().finish().cid, sizeBytes: 0 }
for (const [reason, paths] of [
  ['a path twice', ['a', 'a']],
  ['a folder where a file is', ['a', 'a/b']],
  ['a file where a folder is', ['a/b', 'a']],
] as const) {
  test(`${reason} is refused`, () => {
    assert.throws(() => buildDirectory(paths.map((path) => ({ path, ...leaf }))), { code: 'invalid-request' })
  })
}
